import { planModel, type ModelConfig } from "@levin/model";
import { layerParameters, type DenseShape } from "./dense-shape.ts";

/** What one token costs at least: what has to be read from memory and what has to be computed. */
export interface ActiveCost {
  /** Bytes read for one more token behind the prompt: weights, and states of all layers. */
  decodeBytes: number;
  /** Multiply-adds times two for each token of the prompt, on average; the head serves only the last. */
  prefillFlops: number;
}

/** Bytes of a float32, and of a 32-bit word of quantised blocks. */
const word = 4;

/**
 * Bytes of weights that one token of a hybrid reads: one row of the embedding, the chosen experts,
 * all of the rest.
 *
 * @param shapes of tensors by their on-disk names, in elements of 4 bytes (float32 or quantised words)
 */
export function activeWeightBytes(
  shapes: Iterable<readonly [name: string, shape: readonly number[]]>,
  { numExpertsPerTok, numLocalExperts, vocabSize, tieWordEmbeddings }: ModelConfig,
): number {
  let bytes = 0;
  for (const [name, shape] of shapes) {
    const size = word * shape.reduce((product, value) => product * value, 1);
    if (name.includes(".experts.")) bytes += (size * numExpertsPerTok) / numLocalExperts;
    else if (name.includes("embed_tokens") && !tieWordEmbeddings) bytes += size / vocabSize;
    else bytes += size;
  }
  return bytes;
}

/** Cost of a token of a hybrid whose weights have been counted; lightning states are float32. */
export function hybridCost(
  config: ModelConfig,
  weightBytes: number,
  length: number,
  cacheNumber = word,
): ActiveCost {
  const { layerTypes, numAttentionHeads, numKeyValueHeads, headDim, vocabSize, hiddenSize } =
    config;
  const softmaxLayers = layerTypes.filter((type) => type === "softmax").length;
  const matrices = (layerTypes.length - softmaxLayers) * numAttentionHeads * headDim ** 2;
  const cache = softmaxLayers * 2 * numKeyValueHeads * headDim * length;
  // A token of the prompt attends to half of it on average.
  const flops = planModel(config, [length / 2]).contexts[0]!.flopsPerToken;
  return {
    decodeBytes: weightBytes + word * matrices + cacheNumber * cache,
    prefillFlops: flops - 2 * vocabSize * hiddenSize,
  };
}

/** Bytes of one weight, and of one number of the key-value cache, in a file of another engine. */
export interface DenseFormat {
  matrix: number;
  head: number;
  cache: number;
}

/** Cost of a token of a dense model. */
export function denseCost(shape: DenseShape, format: DenseFormat, length: number): ActiveCost {
  const { hidden, layers, heads, kvHeads, headDim, vocab } = shape;
  const parameters = layerParameters(shape);
  const cache = layers * 2 * kvHeads * headDim * length;
  const attention = (layers * 2 * 2 * heads * headDim * length) / 2;
  return {
    decodeBytes: parameters * format.matrix + vocab * hidden * format.head + cache * format.cache,
    prefillFlops: 2 * parameters + attention,
  };
}
