import { once } from "node:events";
import type { GenerationResult, TokenEvent } from "@levin/model";
import { streamSteps } from "../api/stream-steps.ts";
import { engineLimits, type GenerationSettings, type OnPrefill } from "../engine/engine.ts";
import { LocalEngine } from "../engine/local-engine.ts";
import type { LoadedModel } from "../served-model.ts";

/**
 * A model in this thread whose answers a test can hold: what is to be seen or done in the midst of
 * one does not race with its end.
 */
export class HeldEngine extends LocalEngine {
  #tokens = Infinity;
  #letGo = Promise.withResolvers<void>();
  #held = 0;

  constructor(model: LoadedModel, limits: Parameters<typeof engineLimits>[0] = {}) {
    super(model, engineLimits(limits));
  }

  /** Answers that stand still now. */
  get held(): number {
    return this.#held;
  }

  /**
   * From now on answers stand still after so many tokens, until their client leaves or they are let
   * go on.
   */
  hold(tokens: number): void {
    this.#tokens = tokens;
    this.#letGo = Promise.withResolvers();
  }

  /** Has all answers go on to their end. */
  letGo(): void {
    this.#tokens = Infinity;
    this.#letGo.resolve();
  }

  override async *generate(
    promptIds: readonly number[],
    settings: GenerationSettings,
    signal: AbortSignal,
    onPrefill?: OnPrefill,
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    const left = signal.aborted ? Promise.resolve() : once(signal, "abort");
    let said = 0;
    for await (const step of streamSteps(super.generate(promptIds, settings, signal, onPrefill))) {
      if (step.result !== undefined) return step.result;
      if (said >= this.#tokens) {
        this.#held += 1;
        await Promise.race([this.#letGo.promise, left]);
        this.#held -= 1;
      }
      said += 1;
      yield step.item;
    }
    throw new Error("expected a result at the end of the tokens, found none");
  }
}
