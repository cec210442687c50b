import type { HybridConfigFile, TransnormerConfigFile } from "./config-file.ts";
import type { ModelConfig } from "./model-config.ts";

/** What the files of all families say in the same way. */
export type GeneralPart = Pick<
  ModelConfig,
  "modelType" | "vocabSize" | "bosTokenId" | "eosTokenId" | "padTokenId" | "quantization"
>;

/** Reads that part. */
export function fromGeneral(file: HybridConfigFile | TransnormerConfigFile): GeneralPart {
  return {
    modelType: file.model_type,
    vocabSize: file.vocab_size,
    bosTokenId: file.bos_token_id ?? null,
    eosTokenId: [file.eos_token_id ?? []].flat(),
    padTokenId: file.pad_token_id ?? null,
    ...(file.quantization && {
      quantization: { bits: file.quantization.bits, blockSize: file.quantization.block_size },
    }),
  };
}
