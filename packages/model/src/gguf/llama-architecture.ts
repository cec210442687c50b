import { CheckpointError } from "../checkpoint/byte-source.ts";
import { isRouter, tensorShapes } from "../checkpoint/tensor-shapes.ts";
import type { ModelConfig } from "../config/model-config.ts";
import { fitsGgufType, type GgufType } from "./gguf-types.ts";
import type { GgufMetadata, GgufTensor } from "./write-gguf.ts";

/** What llama.cpp calls MiniMax-Text-01 and M1. */
export const llamaArchitecture = "minimax-01";

/**
 * Refuses what llama.cpp's program for the architecture does not compute, as it would not notice.
 * @throws CheckpointError listing all of it
 */
export function checkLlamaArchitecture(config: ModelConfig): void {
  const { dialect, alphaBeta, numAttentionHeads } = config;
  const factors = Object.values(alphaBeta);
  const { alpha } = alphaBeta.moe;
  const isPowerOfTwo = Number.isInteger(Math.log2(numAttentionHeads));
  const problems = [
    dialect !== "m1" && dialect !== "hf" && `a model of the ${dialect} family`,
    config.quantization && `${config.quantization.bits}-bit weights (convert what they came from)`,
    config.layerTypes.length < 2 && "a single layer",
    // Both spread decay over heads in one way only then.
    !isPowerOfTwo && `${numAttentionHeads} heads, no power of two`,
    config.numLocalExperts === 0 && "no experts",
    !config.postnorm && "postnorm false",
    factors.some((factor) => factor.alpha !== alpha || factor.beta !== 1) &&
      `residual factors that differ (${JSON.stringify(alphaBeta)})`,
    config.rotaryDim === 0 && "no rotary embedding",
    config.sharedIntermediateSize && "a shared expert",
    config.dense && "layers without experts",
  ].filter(Boolean);
  if (problems.length > 0) {
    throw new CheckpointError(
      `expected a model that llama.cpp's ${llamaArchitecture} computes, found ${problems.join(", ")}`,
    );
  }
}

/** The sizes of a model, and the tokens that begin and end what it writes. */
export function llamaMetadata(config: ModelConfig): GgufMetadata {
  const sizes: GgufMetadata = {
    vocab_size: config.vocabSize,
    context_length: config.maxPositionEmbeddings,
    embedding_length: config.hiddenSize,
    block_count: config.layerTypes.length,
    feed_forward_length: config.intermediateSize,
    expert_count: config.numLocalExperts,
    expert_used_count: config.numExpertsPerTok,
    residual_scale: { float32: config.alphaBeta.moe.alpha },
    "attention.head_count": config.numAttentionHeads,
    "attention.head_count_kv": config.numKeyValueHeads,
    "attention.key_length": config.headDim,
    "attention.value_length": config.headDim,
    "attention.layer_norm_rms_epsilon": { float32: config.rmsNormEps },
    "attention.recurrent_layers": Int32Array.from(config.layerTypes, (type) =>
      Number(type === "lightning"),
    ),
    "rope.dimension_count": config.rotaryDim,
    "rope.freq_base": { float32: config.ropeTheta },
  };
  const { bosTokenId, eosTokenId, padTokenId } = config;
  const [eos, eot] = eosTokenId;
  const tokens = {
    bos_token_id: bosTokenId,
    eos_token_id: eos,
    eot_token_id: eot,
    padding_token_id: padTokenId,
  };
  return Object.fromEntries([
    ...Object.entries(sizes).map(([key, value]) => [`${llamaArchitecture}.${key}`, value]),
    ...Object.entries(tokens)
      .filter(([, id]) => id !== null && id !== undefined)
      .map(([key, id]) => [`tokenizer.ggml.${key}`, id]),
  ]) as GgufMetadata;
}

const names: Record<string, string> = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  lm_head: "output",
  input_layernorm: "attn_norm",
  "self_attn.qkv_proj": "attn_qkv",
  "self_attn.output_gate": "attn_gate",
  "self_attn.norm": "attn_norm_2",
  "self_attn.out_proj": "attn_output",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  post_attention_layernorm: "ffn_norm",
  "block_sparse_moe.gate": "ffn_gate_inp",
  w1: "ffn_gate_exps",
  w2: "ffn_down_exps",
  w3: "ffn_up_exps",
};

/**
 * The tensors of a model by llama.cpp's names, experts of a layer in one. Norms and router gates are
 * float32; rows that do not fit into the type too.
 */
export function llamaTensors(config: ModelConfig, type: GgufType): GgufTensor[] {
  const tensors = new Map<string, GgufTensor & { parts: string[] }>();
  for (const [part, shape] of tensorShapes(config)) {
    const [, layer, expert, kind] =
      /^(?:model\.layers\.(\d+)\.)?(?:block_sparse_moe\.experts\.(\d+)\.)?(.+)\.weight$/.exec(
        part,
      )!;
    const name = `${layer === undefined ? "" : `blk.${layer}.`}${names[kind!]!}.weight`;
    const known = tensors.get(name);
    if (known) known.parts.push(part);
    else {
      const isMatrix = shape.length > 1 && !isRouter(part) && fitsGgufType(shape.at(-1)!, type);
      tensors.set(name, {
        name,
        shape: expert === undefined ? shape : [config.numLocalExperts, ...shape],
        type: isMatrix ? type : "f32",
        parts: [part],
      });
    }
  }
  return [...tensors.values()];
}
