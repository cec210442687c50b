import { fromGeneral, type GeneralPart } from "./from-general.ts";
import type { HybridConfigFile } from "./config-file.ts";
import type { ModelConfig } from "./model-config.ts";

type HybridPart = GeneralPart &
  Pick<
    ModelConfig,
    | "hiddenSize"
    | "numHiddenLayers"
    | "numAttentionHeads"
    | "numKeyValueHeads"
    | "headDim"
    | "tieWordEmbeddings"
  >;

/** What the files of hybrids say in the same way. */
export function fromHybrid(file: HybridConfigFile): HybridPart {
  const heads = file.num_attention_heads;
  return {
    ...fromGeneral(file),
    hiddenSize: file.hidden_size,
    numHiddenLayers: file.num_hidden_layers,
    numAttentionHeads: heads,
    numKeyValueHeads: file.num_key_value_heads ?? heads,
    headDim: file.head_dim ?? file.hidden_size / heads,
    tieWordEmbeddings: file.tie_word_embeddings,
  };
}
