import { startWasm, startWebGpu } from "@levin/kernels/browser";
import { bytesSource, parseConfig, readModel, type CausalLanguageModel } from "@levin/model";
import { m1ChatTemplate, Tokenizer } from "@levin/tokenizer";
import wasmUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simdUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threadedUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
import { describeModel } from "../../../src/served-model.ts";
import type { ModelFiles } from "./fetch-model.ts";
import { toFacts, type ModelFacts } from "./model-facts.ts";
import type { TabBackend } from "./tab-protocol.ts";

/** A model in this thread, with all that is needed to chat with it. */
export interface TabModel {
  model: CausalLanguageModel;
  tokenizer: Tokenizer;
  template: string;
  facts: ModelFacts;
  threads: number;
}

/** Starts the backend and puts the model on it. */
export async function loadTabModel(
  id: string,
  files: ModelFiles,
  backend: TabBackend,
): Promise<TabModel> {
  const threads = backend === "wasm" ? await startThreads() : await startWebGpu().then(() => 1);
  const config = parseConfig(json(files, "config.json"));
  const tokenizerConfig = files.has("tokenizer_config.json")
    ? (json(files, "tokenizer_config.json") as { chat_template?: string })
    : {};
  const shards = [...files]
    .filter(([name]) => name.endsWith(".safetensors"))
    .map(([name, bytes]) => bytesSource(name, bytes));
  const sizes = { context_length: config.maxPositionEmbeddings, ...describeModel(config) };
  return {
    model: await readModel(config, shards),
    tokenizer: Tokenizer.fromJson(json(files, "tokenizer.json")),
    template: tokenizerConfig.chat_template ?? m1ChatTemplate,
    facts: toFacts({ id, levin: sizes }),
    threads,
  };
}

function startThreads(): Promise<number> {
  return startWasm({
    wasmPaths: {
      "tfjs-backend-wasm.wasm": wasmUrl,
      "tfjs-backend-wasm-simd.wasm": simdUrl,
      "tfjs-backend-wasm-threaded-simd.wasm": threadedUrl,
    },
  });
}

function json(files: ModelFiles, name: string): unknown {
  const bytes = files.get(name);
  if (!bytes) throw new Error(`expected a file ${name} of the model, found none`);
  return JSON.parse(new TextDecoder().decode(bytes));
}
