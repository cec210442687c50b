import type { ModelConfig } from "../config/model-config.ts";

/** Name and shape of every tensor of a checkpoint on disk (SPEC section 11). */
export function tensorShapes(config: ModelConfig): Map<string, number[]> {
  const { hiddenSize, vocabSize, numLocalExperts, intermediateSize, layerTypes } = config;
  const shapes = new Map<string, number[]>([
    ["model.embed_tokens.weight", [vocabSize, hiddenSize]],
  ]);
  layerTypes.forEach((type, i) => {
    const layer = `model.layers.${i}`;
    const add = (name: string, ...shape: number[]): unknown =>
      shapes.set(`${layer}.${name}.weight`, shape);
    add("input_layernorm", hiddenSize);
    add("post_attention_layernorm", hiddenSize);
    if (type === "lightning") addLightning(add, config);
    else addSoftmax(add, config);
    add("block_sparse_moe.gate", numLocalExperts, hiddenSize);
    for (let e = 0; e < numLocalExperts; e++) {
      const expert = `block_sparse_moe.experts.${e}`;
      add(`${expert}.w1`, intermediateSize, hiddenSize);
      add(`${expert}.w2`, hiddenSize, intermediateSize);
      add(`${expert}.w3`, intermediateSize, hiddenSize);
    }
  });
  shapes.set("model.norm.weight", [hiddenSize]);
  if (!config.tieWordEmbeddings) shapes.set("lm_head.weight", [vocabSize, hiddenSize]);
  return shapes;
}

type Add = (name: string, ...shape: number[]) => unknown;

function addLightning(add: Add, { hiddenSize, numAttentionHeads, headDim }: ModelConfig): void {
  const width = numAttentionHeads * headDim;
  add("self_attn.qkv_proj", 3 * width, hiddenSize);
  add("self_attn.norm", width);
  add("self_attn.output_gate", width, hiddenSize);
  add("self_attn.out_proj", hiddenSize, width);
}

function addSoftmax(add: Add, config: ModelConfig): void {
  const { hiddenSize, numAttentionHeads, numKeyValueHeads, headDim } = config;
  add("self_attn.q_proj", numAttentionHeads * headDim, hiddenSize);
  add("self_attn.k_proj", numKeyValueHeads * headDim, hiddenSize);
  add("self_attn.v_proj", numKeyValueHeads * headDim, hiddenSize);
  add("self_attn.o_proj", hiddenSize, numAttentionHeads * headDim);
}
