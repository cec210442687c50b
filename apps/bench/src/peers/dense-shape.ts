import { planModel, type ModelConfig } from "@levin/model";

/** A dense model of llama's architecture, softmax attention in every layer. */
export interface DenseShape {
  hidden: number;
  intermediate: number;
  layers: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  vocab: number;
  context: number;
}

/** Rows of weights are whole blocks of this many in every quantised format. */
const block = 32;

/**
 * The dense model that computes as many parameters for a token as a hybrid does: the same but for
 * attention of one kind and one feed-forward block of the width that makes up for it.
 */
export function denseOfSameActiveSize(config: ModelConfig): DenseShape {
  const layers = config.layerTypes.length;
  const shape = {
    hidden: config.hiddenSize,
    intermediate: 0,
    layers,
    heads: config.numAttentionHeads,
    kvHeads: config.numKeyValueHeads,
    headDim: config.headDim,
    vocab: config.vocabSize,
    context: config.maxPositionEmbeddings,
  };
  const missing = planModel(config, []).parameters.active - layerParameters(shape);
  const width = missing / (3 * shape.hidden * layers);
  return { ...shape, intermediate: block * Math.round(width / block) };
}

/** Parameters of all matrices in layers: what each token passes, but for the head. */
export function layerParameters(shape: DenseShape): number {
  const { hidden, intermediate, layers, heads, kvHeads, headDim } = shape;
  return layers * (2 * hidden * headDim * (heads + kvHeads) + 3 * hidden * intermediate);
}
