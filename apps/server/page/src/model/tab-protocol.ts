import type { ApiMessage, Delta } from "../answers/answer-source.ts";
import type { ModelFacts } from "./model-facts.ts";

/** What the model in this tab computes on. */
export type TabBackend = "wasm" | "webgpu";

/** From the page to the worker that has the model; `ask` tells requests apart. */
export type TabRequest =
  | { type: "load"; backend: TabBackend; apiKey: string }
  | {
      type: "ask";
      ask: number;
      messages: readonly ApiMessage[];
      thinkingBudget: number | null;
      tools: readonly unknown[];
    }
  | { type: "stop"; ask: number }
  | { type: "count"; ask: number; text: string };

export interface TabReady {
  facts: ModelFacts;
  /** Threads that compute; 1 on WebGPU. */
  threads: number;
}

/** From the worker to the page. */
export type TabReply =
  | { type: "progress"; done: number; total: number }
  | ({ type: "ready" } & TabReady)
  | { type: "unloaded"; message: string }
  | { type: "delta"; ask: number; delta: Delta }
  | { type: "end"; ask: number; error?: string }
  | { type: "counted"; ask: number; tokens: number };
