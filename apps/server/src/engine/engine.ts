import type {
  GenerationOptions,
  GenerationResult,
  PrefillProgress,
  TokenEvent,
} from "@levin/model";
import { ApiError } from "../api/api-error.ts";

/** What to generate and how, as plain data: it may cross to another thread. */
export type GenerationSettings = Omit<GenerationOptions, "signal" | "onPrefill" | "prefixes">;

/** Told how far a prompt has been read. */
export type OnPrefill = (progress: PrefillProgress) => void;

/** What an engine holds. */
export interface EngineStats {
  /** States of earlier prompts. */
  prefixCacheBytes: number;
  /** All states, of running answers too, as far as they are tensors of one memory. */
  stateBytes: number;
  /** Tensors of the backend, weights included. */
  tensors: number;
  /** Decoding steps since the model was loaded by how many answers they moved on: one, two, and so on. */
  stepCounts: readonly number[];
}

/** How much an engine does at once, and keeps. */
export interface EngineLimits {
  /** Answers that run together, in one decoding step. */
  maxBatch: number;
  /** Memory for the states of earlier prompts. */
  prefixCacheBytes: number;
}

/** Fills in defaults: 8 answers, 256 MiB. */
export function engineLimits(given: {
  [Key in keyof EngineLimits]?: number | undefined;
}): EngineLimits {
  const { maxBatch = 8, prefixCacheBytes = 256 * 2 ** 20 } = given;
  return { maxBatch, prefixCacheBytes };
}

/**
 * All that touches a model. Arguments and results are plain data, so the model may be in this
 * thread or in another one.
 */
export interface Engine {
  /** False while its model is not there: every call is refused with a 503. */
  readonly isReady: boolean;
  /**
   * Generates after a prompt; at most `maxBatch` at once, further ones wait inside. An aborted one
   * ends with `finishReason: "abort"`; who stops reading ends it too.
   *
   * @throws what `ContinuousBatch.add` throws; ApiError (503) when the model is lost
   */
  generate(
    promptIds: readonly number[],
    settings: GenerationSettings,
    signal: AbortSignal,
    onPrefill?: OnPrefill,
  ): AsyncGenerator<TokenEvent, GenerationResult>;
  /**
   * Embeddings of length 1 of some texts, given as token ids.
   * @throws TokenBatchError; ApiError (501) when the model's layers are in stages
   */
  embed(texts: readonly (readonly number[])[]): Promise<Float32Array[]>;
  /** Whether the prefix cache has the state after exactly these tokens for prompts with this salt. */
  hasState(ids: readonly number[], salt?: string): Promise<boolean>;
  /** The state after exactly these tokens, if the prefix cache has it under this salt, as bytes. */
  saveState(ids: readonly number[], salt?: string): Promise<Uint8Array | undefined>;
  /**
   * Puts a saved state into the prefix cache, so that only what follows these tokens is read. Under
   * a salt, it serves prompts with this `prefixSalt` alone.
   * @throws ModelStateError when the bytes are broken, or of other tokens or another model
   */
  restoreState(ids: readonly number[], bytes: Uint8Array, salt?: string): Promise<void>;
  stats(): Promise<EngineStats>;
  /** Ends the engine and frees what it keeps beside the model. */
  close(): Promise<void>;
}

/** 503: the model is not there now, but will be. */
export function modelNotLoaded(): ApiError {
  return new ApiError(503, "the model is not loaded yet; try again soon", {
    code: "model_loading",
    retryAfter: 2,
  });
}
