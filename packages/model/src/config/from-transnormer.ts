import type { TransnormerConfigFile } from "./config-file.ts";
import { fromGeneral } from "./from-general.ts";
import type { ModelConfig } from "./model-config.ts";

const plain = { alpha: 1, beta: 1 };

/** Of all norms, whatever the file says. */
const normEpsilon = 1e-6;

/** The configuration in a checked file of TransNormerLLM: lightning attention alone, and no experts. */
export function fromTransnormer(file: TransnormerConfigFile): ModelConfig {
  const { decoder_embed_dim: width, decoder_layers: layers, decoder_attention_heads: heads } = file;
  const { linear_use_lrpe_list: lrpe } = file;
  return {
    ...fromGeneral(file),
    dialect: "transnormer",
    hiddenSize: width,
    numHiddenLayers: layers,
    numAttentionHeads: heads,
    numKeyValueHeads: heads,
    headDim: file.hidden_dim / heads,
    rotaryDim: 0,
    ropeTheta: 10_000,
    // No key of the files; short blocks suit CPUs.
    blockSize: 64,
    intermediateSize: 0,
    numLocalExperts: 0,
    numExpertsPerTok: 0,
    rmsNormEps: normEpsilon,
    layerTypes: Array.from({ length: layers }, () => "lightning"),
    postnorm: false,
    alphaBeta: { lightning: plain, softmax: plain, moe: plain },
    tieWordEmbeddings: file.tie_word_embeddings,
    routerAuxLossCoef: 0,
    maxPositionEmbeddings: file.max_position_embeddings,
    lightning: {
      rows: "by-kind",
      silu: "queries-and-keys",
      rotary: false,
      queryScale: 1,
      normGroups: 1,
      normEpsilon,
      gate: "factor",
    },
    dense: {
      layers,
      intermediateSize: file.glu_dim === -1 ? width : file.glu_dim,
      activation: "none",
    },
    linearPositions: lrpe.length > 0 ? lrpe.map(Boolean) : Array<boolean>(layers).fill(false),
    plainNorms: true,
    embeddingScale: file.no_scale_embedding ? 1 : width ** 0.5,
  };
}
