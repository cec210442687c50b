import type { MessagePort } from "node:worker_threads";
import type { ModelConfig } from "../config/model-config.ts";
import type { LayerRange } from "../decoder.ts";
import type { TokenBatch } from "../token-batch.ts";

/** What all stages do with their part of a state, which has the same number everywhere. */
export type StageRequest =
  | { kind: "create"; state: number; batch: number }
  | { kind: "clone"; state: number; of: number }
  | { kind: "regroup"; state: number; of: number; rows: readonly number[]; others: number[] }
  | { kind: "deserialize"; state: number; bytes: Uint8Array }
  | { kind: "serialize"; state: number }
  | { kind: "advance"; state: number; tokens: TokenBatch }
  | { kind: "dispose"; state: number };

/** A request on its way through the stages, and what they have added to it so far. */
export interface StageMessage {
  request: StageRequest;
  /** Hidden states `[batch, length, hidden]`, of the last stage logits `[batch, vocab]`. */
  output?: { values: Float32Array; shape: number[] };
  /** Bytes of the state in the stages so far, and the most tokens that one of them counts. */
  byteLength: number;
  length: number;
  /** The serialized layers. */
  layers: Uint8Array[];
  /** Later stages leave a message with a failure alone. */
  failure?: StageFailure;
}

/** An error on its way to another thread. */
export interface StageFailure {
  stage: number;
  name: string;
  message: string;
}

/** What a stage says once: loaded, or why not. */
export type StageGreeting = { failure?: StageFailure };

/** What a stage is started with. */
export interface StageStart {
  stage: number;
  isLast: boolean;
  directory: string;
  config: ModelConfig;
  range: LayerRange;
  backend: string;
  /** From the stage before and to the next one; the caller is at both ends. */
  input: MessagePort;
  output: MessagePort;
  signal: Int32Array;
}

/** Words of the memory that the caller waits on. */
export const signalWords = {
  /** Counts what there is to look at. */
  count: 0,
  /** Number of a stage that has ended, plus one. */
  lost: 1,
} as const;

/** Wakes the caller. */
export function wakeCaller(signal: Int32Array): void {
  Atomics.add(signal, signalWords.count, 1);
  Atomics.notify(signal, signalWords.count);
}
