import type { CommonConfigFile } from "./config-file.ts";
import type { ModelConfig } from "./model-config.ts";

type CommonPart = Pick<
  ModelConfig,
  | "modelType"
  | "vocabSize"
  | "hiddenSize"
  | "numHiddenLayers"
  | "numAttentionHeads"
  | "numKeyValueHeads"
  | "headDim"
  | "tieWordEmbeddings"
  | "bosTokenId"
  | "eosTokenId"
  | "padTokenId"
  | "quantization"
>;

/** What the files of all families say in the same way. */
export function fromCommon(file: CommonConfigFile): CommonPart {
  const heads = file.num_attention_heads;
  return {
    modelType: file.model_type,
    vocabSize: file.vocab_size,
    hiddenSize: file.hidden_size,
    numHiddenLayers: file.num_hidden_layers,
    numAttentionHeads: heads,
    numKeyValueHeads: file.num_key_value_heads ?? heads,
    headDim: file.head_dim ?? file.hidden_size / heads,
    tieWordEmbeddings: file.tie_word_embeddings,
    bosTokenId: file.bos_token_id ?? null,
    eosTokenId: [file.eos_token_id ?? []].flat(),
    padTokenId: file.pad_token_id ?? null,
    ...(file.quantization && {
      quantization: { bits: file.quantization.bits, blockSize: file.quantization.block_size },
    }),
  };
}
