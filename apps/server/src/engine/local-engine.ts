import { OutOfMemoryError } from "@levin/kernels/node";
import {
  CausalLanguageModel,
  ContinuousBatch,
  embed,
  PrefixCache,
  type GenerationResult,
  type TokenEvent,
} from "@levin/model";
import { StagedModel } from "@levin/model/node";
import * as tf from "@tensorflow/tfjs-core";
import { ApiError } from "../api/api-error.ts";
import type { LoadedModel } from "../served-model.ts";
import type { Engine, EngineLimits, EngineStats, GenerationSettings, OnPrefill } from "./engine.ts";

/** Tokens of texts embedded at once: other answers wait for so long. */
const embeddingTokens = 1024;

/** A model in this thread: while it computes, nothing else here does. */
export class LocalEngine implements Engine {
  readonly #model: LoadedModel["model"];
  readonly #batch: ContinuousBatch;
  readonly #prefixes: PrefixCache;
  /** Of the backend while nothing runs: the weights. */
  readonly #restingBytes = tf.memory().numBytes;
  #isBroken = false;

  constructor({ model, tokenizer }: LoadedModel, { maxBatch, prefixCacheBytes }: EngineLimits) {
    this.#model = model;
    this.#batch = new ContinuousBatch(model, tokenizer, { maxRows: maxBatch });
    this.#prefixes = new PrefixCache({ maxBytes: prefixCacheBytes });
  }

  get isReady(): boolean {
    return !this.#isBroken && (!(this.#model instanceof StagedModel) || this.#model.isOpen);
  }

  async *generate(
    promptIds: readonly number[],
    settings: GenerationSettings,
    signal: AbortSignal,
    onPrefill?: OnPrefill,
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    const prefixes = this.#prefixes;
    this.#check();
    try {
      return yield* this.#batch.add(promptIds, { ...settings, prefixes, signal, onPrefill });
    } catch (error) {
      throw this.#seen(error);
    }
  }

  async embed(texts: readonly (readonly number[])[]): Promise<Float32Array[]> {
    if (!(this.#model instanceof CausalLanguageModel)) {
      throw new ApiError(501, "embeddings need a model that runs whole, not in stages", {
        code: "unsupported",
      });
    }
    this.#check();
    try {
      return await embed(this.#model, texts, { maxBatchTokens: embeddingTokens });
    } catch (error) {
      throw this.#seen(error);
    }
  }

  hasState(ids: readonly number[], salt?: string): Promise<boolean> {
    return this.#try(() => this.#prefixes.has(ids, salt));
  }

  saveState(ids: readonly number[], salt?: string): Promise<Uint8Array | undefined> {
    return this.#try(() => this.#prefixes.save(ids, salt));
  }

  restoreState(ids: readonly number[], bytes: Uint8Array, salt?: string): Promise<void> {
    return this.#try(() => this.#prefixes.restore(ids, bytes, this.#model, salt));
  }

  stats(): Promise<EngineStats> {
    const { numBytes, numTensors } = tf.memory();
    const prefixCacheBytes = this.#prefixes.byteLength;
    const stateBytes = Math.max(0, numBytes - this.#restingBytes);
    const { stepCounts } = this.#batch;
    return Promise.resolve({ prefixCacheBytes, stateBytes, tensors: numTensors, stepCounts });
  }

  close(): Promise<void> {
    this.#prefixes.dispose();
    return Promise.resolve();
  }

  #check(): void {
    if (this.isReady) return;
    throw new ApiError(503, "the model has failed; the server must be started again", {
      code: "model_lost",
    });
  }

  async #try<Result>(act: () => Result): Promise<Result> {
    this.#check();
    try {
      return act();
    } catch (error) {
      throw this.#seen(error);
    }
  }

  #seen(error: unknown): unknown {
    // Whoever comes next finds memory again.
    if (error instanceof OutOfMemoryError) this.#prefixes.dispose();
    this.#isBroken ||= error instanceof Error && fatalErrors.has(error.name);
    return error;
  }
}

/** After a trap in wasm its memory can't be trusted; a lost GPU does not come back. */
const fatalErrors = new Set(["RuntimeError", "DeviceLostError"]);
