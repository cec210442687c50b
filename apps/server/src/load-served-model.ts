import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { selectBackend } from "@levin/kernels/node";
import { loadForGeneration, readConfig, readJsonFile } from "@levin/model/node";
import { sparkDirectory } from "@levin/spark";
import { m1ChatTemplate, Tokenizer } from "@levin/tokenizer";
import { z } from "zod";
import { modelFingerprint } from "./model-fingerprint.ts";
import {
  describeModel,
  type LoadedModel,
  type SamplingDefaults,
  type ServedModel,
} from "./served-model.ts";

export interface LoadOptions {
  /** Model directory in the layout of Hugging Face; default: spark. */
  model?: string | undefined;
  /** `wasm`, `webgpu`, `cpu` or `tensorflow`; default `wasm`. */
  backend?: string | undefined;
  /** Threads with a memory of their own that share the layers; default: as many as the weights need. */
  stages?: number | undefined;
  /** Name that clients ask for; default: the directory's, or `spark`. */
  modelId?: string | undefined;
}

/**
 * Loads model, tokenizer, chat template and sampling defaults of a directory.
 * @throws BackendUnavailableError, ConfigError, CheckpointError, StagePlanError, TokenizerError
 */
export async function loadServedModel(options: LoadOptions = {}): Promise<LoadedModel> {
  await selectBackend(options.backend, { otherwise: console.error });
  const served = await readServedModel(options);
  const model = await loadForGeneration(directoryOf(options), options);
  return { ...served, model };
}

/**
 * Reads all of a directory but the weights: for a server whose model runs in another thread.
 * @throws ConfigError, TokenizerError
 */
export async function readServedModel(options: LoadOptions = {}): Promise<ServedModel> {
  const directory = directoryOf(options);
  const tokenizer = Tokenizer.fromJson(await readJsonFile(join(directory, "tokenizer.json")));
  const tokenizerConfig = tokenizerConfigSchema.parse(
    await readJsonFile(join(directory, "tokenizer_config.json"), {}),
  );
  const generationConfig = await readJsonFile(join(directory, "generation_config.json"), {});
  const config = await readConfig(directory);
  let fingerprint: Promise<string> | undefined;
  return {
    model: { config },
    tokenizer,
    chatTemplate: tokenizerConfig.chat_template ?? m1ChatTemplate,
    modelId: options.modelId ?? (options.model === undefined ? "spark" : basename(directory)),
    directory,
    description: describeModel(config),
    defaults: samplingDefaults(generationConfig),
    // Large weights take a while to read, and who keeps no sessions needs none.
    fingerprint: () => (fingerprint ??= modelFingerprint(directory)),
  };
}

function directoryOf({ model }: LoadOptions): string {
  return resolve(model ?? fileURLToPath(sparkDirectory));
}

const tokenizerConfigSchema = z.object({ chat_template: z.string().optional() });

const generationConfigSchema = z.object({
  do_sample: z.boolean().optional(),
  temperature: z.number().optional(),
  top_k: z.int().optional(),
  top_p: z.number().optional(),
  min_p: z.number().optional(),
  repetition_penalty: z.number().optional(),
});

/** Reads a `generation_config.json`, where `do_sample: false` means greedy. */
function samplingDefaults(json: unknown): SamplingDefaults {
  const config = generationConfigSchema.parse(json);
  return {
    temperature: config.do_sample === false ? 0 : config.temperature,
    topK: config.top_k,
    topP: config.top_p,
    minP: config.min_p,
    repetitionPenalty: config.repetition_penalty,
  };
}
