import { readConfig, weightFiles } from "../checkpoint/checkpoint-files.ts";
import { openFiles } from "../checkpoint/file-source.ts";
import { openCheckpoint } from "../checkpoint/open-checkpoint.ts";
import { writeWhole } from "../checkpoint/write-whole.ts";
import { ggufFileTypes, ggufTypeOf, type GgufType } from "./gguf-types.ts";
import {
  checkLlamaArchitecture,
  llamaArchitecture,
  llamaMetadata,
  llamaTensors,
} from "./llama-architecture.ts";
import { ggufChunks, type GgufMetadata } from "./write-gguf.ts";

/** Options of {@link exportGguf}. */
export interface ExportGgufOptions {
  /** Of the matrices; default: the one that the checkpoint's embedding has. */
  type?: GgufType;
  /** What else the file says: its name, the vocabulary (`ggufVocabulary` of `@levin/tokenizer`). */
  metadata?: GgufMetadata;
}

/**
 * Writes a model as one GGUF file for llama.cpp (b10437 or newer), one matrix in memory at a time.
 * The file appears only when it is whole.
 *
 * @returns the type of the matrices
 * @throws ConfigError, CheckpointError, also for a model that llama.cpp does not compute
 */
export async function exportGguf(
  source: string,
  target: string,
  { type, metadata = {} }: ExportGgufOptions = {},
): Promise<GgufType> {
  const config = await readConfig(source);
  checkLlamaArchitecture(config);
  const shards = await openFiles(await weightFiles(source));
  try {
    const checkpoint = await openCheckpoint(config, shards);
    const written = type ?? ggufTypeOf(checkpoint.typeOf("model.embed_tokens.weight"));
    const all: GgufMetadata = {
      "general.architecture": llamaArchitecture,
      "general.file_type": ggufFileTypes[written],
      // Of the layout of quantised blocks, whether the file has any or not.
      "general.quantization_version": 2,
      ...llamaMetadata(config),
      ...metadata,
    };
    const read = async (part: string): Promise<Float32Array> =>
      (await checkpoint.read(part)).values as Float32Array;
    await writeWhole(target, ggufChunks(all, llamaTensors(config, written), read));
    return written;
  } finally {
    await Promise.all(shards.map((shard) => shard.close()));
  }
}
