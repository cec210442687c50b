import type { PrefillProgress, TokenEvent } from "@levin/model";
import type { LoadOptions } from "../load-served-model.ts";
import type { Engine, EngineLimits, GenerationSettings } from "./engine.ts";
import type { PlainError } from "./plain-error.ts";

/** What the engine's thread is started with. */
export interface EngineStart {
  load: LoadOptions;
  limits: EngineLimits;
}

/** Calls that have one result. */
export type EngineMethod = "embed" | "hasState" | "saveState" | "restoreState" | "stats";

/** To the thread; `call` numbers what belongs together. */
export type EngineRequest =
  | {
      kind: "generate";
      call: number;
      promptIds: readonly number[];
      settings: GenerationSettings;
      /** Whether the reading of the prompt is of interest. */
      tellsPrefill: boolean;
    }
  /** Ends a generation; its result says so. */
  | { kind: "abort"; call: number }
  /** This many tokens were read: so many more may be sent. */
  | { kind: "read"; call: number; tokens: number }
  | {
      [Method in EngineMethod]: {
        kind: Method;
        call: number;
        arguments: Parameters<Engine[Method]>;
      };
    }[EngineMethod];

/** From the thread. The first message, `ready` or `failed`, says whether the model is loaded. */
export type EngineReply =
  | { kind: "ready" }
  | { kind: "failed"; error: PlainError }
  | { kind: "prefill"; call: number; progress: PrefillProgress }
  | { kind: "token"; call: number; event: TokenEvent }
  | { kind: "result"; call: number; result: unknown }
  | { kind: "error"; call: number; error: PlainError };

/** Tokens of an answer on their way to a reader; more wait until it has read half of them. */
export const tokensOnTheWay = 32;
