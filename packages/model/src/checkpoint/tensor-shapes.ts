import type { ModelConfig } from "../config/model-config.ts";

/**
 * Name and shape of every tensor of a model (SPEC section 11). Names are those of MiniMax-AI's
 * checkpoints, whatever a family calls them in its files (file-tensors.ts).
 */
export function tensorShapes(config: ModelConfig): Map<string, number[]> {
  const { hiddenSize, vocabSize, layerTypes, dense, plainNorms } = config;
  const shapes = new Map<string, number[]>([
    ["model.embed_tokens.weight", [vocabSize, hiddenSize]],
  ]);
  layerTypes.forEach((type, i) => {
    const add = (name: string, ...shape: number[]): unknown =>
      shapes.set(`model.layers.${i}.${name}`, shape);
    if (!plainNorms) {
      add("input_layernorm.weight", hiddenSize);
      add("post_attention_layernorm.weight", hiddenSize);
    }
    if (type === "lightning") addLightning(add, config, i);
    else addSoftmax(add, config);
    if (dense && i < dense.layers) addExpert(add, "mlp", hiddenSize, dense.intermediateSize);
    else addMixture(add, config);
  });
  if (!plainNorms) shapes.set("model.norm.weight", [hiddenSize]);
  if (!config.tieWordEmbeddings) shapes.set("lm_head.weight", [vocabSize, hiddenSize]);
  return shapes;
}

/** True for the router of a layer's experts, which no checkpoint stores in less than float32. */
export function isRouter(name: string): boolean {
  return /\.block_sparse_moe\.gate\./.test(name);
}

type Add = (name: string, ...shape: number[]) => unknown;

function addLightning(add: Add, config: ModelConfig, index: number): void {
  const { hiddenSize, numAttentionHeads, headDim } = config;
  const width = numAttentionHeads * headDim;
  add("self_attn.qkv_proj.weight", 3 * width, hiddenSize);
  addQueryKeyNorms(add, config);
  if (config.linearPositions?.[index]) add("self_attn.lrpe.theta", numAttentionHeads, 1, headDim);
  if (!config.plainNorms) add("self_attn.norm.weight", width);
  add("self_attn.output_gate.weight", width, hiddenSize);
  add("self_attn.out_proj.weight", hiddenSize, width);
}

function addSoftmax(add: Add, config: ModelConfig): void {
  const { hiddenSize, numAttentionHeads, numKeyValueHeads, headDim } = config;
  add("self_attn.q_proj.weight", numAttentionHeads * headDim, hiddenSize);
  add("self_attn.k_proj.weight", numKeyValueHeads * headDim, hiddenSize);
  add("self_attn.v_proj.weight", numKeyValueHeads * headDim, hiddenSize);
  addQueryKeyNorms(add, config);
  add("self_attn.o_proj.weight", hiddenSize, numAttentionHeads * headDim);
}

function addQueryKeyNorms(add: Add, { queryKeyNorm, headDim }: ModelConfig): void {
  if (!queryKeyNorm) return;
  add("self_attn.q_norm.weight", headDim);
  add("self_attn.k_norm.weight", headDim);
}

function addMixture(add: Add, config: ModelConfig): void {
  const { hiddenSize, numLocalExperts, intermediateSize, routing, sharedIntermediateSize } = config;
  add("block_sparse_moe.gate.weight", numLocalExperts, hiddenSize);
  if (routing) add("block_sparse_moe.gate.expert_bias", numLocalExperts);
  for (let e = 0; e < numLocalExperts; e++) {
    addExpert(add, `block_sparse_moe.experts.${e}`, hiddenSize, intermediateSize);
  }
  if (sharedIntermediateSize) {
    addExpert(add, "block_sparse_moe.shared_expert", hiddenSize, sharedIntermediateSize);
  }
}

function addExpert(add: Add, name: string, hidden: number, intermediate: number): void {
  add(`${name}.w1.weight`, intermediate, hidden);
  add(`${name}.w2.weight`, hidden, intermediate);
  add(`${name}.w3.weight`, intermediate, hidden);
}
