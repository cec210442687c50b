import type { GenerationResult } from "@levin/model";
import { streamSteps } from "../api/stream-steps.ts";
import type { Engine, OnPrefill } from "./engine.ts";
import { tokensOnTheWay, type EngineReply, type EngineRequest } from "./engine-message.ts";
import { toPlainError } from "./plain-error.ts";

type Generate = Extract<EngineRequest, { kind: "generate" }>;

/** Answers requests of another thread with the engine of this one. */
export class EngineHost {
  readonly #engine: Engine;
  readonly #reply: (reply: EngineReply) => void;
  readonly #readers = new Map<number, Reader>();

  constructor(engine: Engine, reply: (reply: EngineReply) => void) {
    this.#engine = engine;
    this.#reply = reply;
  }

  /** Never fails: errors are replies. Resolves when the request is done. */
  async handle(request: EngineRequest): Promise<void> {
    const { call } = request;
    try {
      const result = await this.#result(request);
      const isNotice = request.kind === "abort" || request.kind === "read";
      if (!isNotice) this.#reply({ kind: "result", call, result });
    } catch (error) {
      this.#reply({ kind: "error", call, error: toPlainError(error) });
    }
  }

  #result(request: EngineRequest): unknown {
    switch (request.kind) {
      case "generate":
        return this.#generate(request);
      case "abort":
        return this.#readers.get(request.call)?.leave();
      case "read":
        return this.#readers.get(request.call)?.read(request.tokens);
      case "embed":
        return this.#engine.embed(...request.arguments);
      case "hasState":
        return this.#engine.hasState(...request.arguments);
      case "saveState":
        return this.#engine.saveState(...request.arguments);
      case "restoreState":
        return this.#engine.restoreState(...request.arguments);
      case "stats":
        return this.#engine.stats();
    }
  }

  async #generate(request: Generate): Promise<GenerationResult> {
    const { call, promptIds, settings, tellsPrefill } = request;
    const reader = new Reader();
    this.#readers.set(call, reader);
    const onPrefill: OnPrefill = (progress) => this.#reply({ kind: "prefill", call, progress });
    try {
      const events = this.#engine.generate(
        promptIds,
        settings,
        reader.signal,
        tellsPrefill ? onPrefill : undefined,
      );
      for await (const step of streamSteps(events)) {
        if (step.result !== undefined) return step.result;
        this.#reply({ kind: "token", call, event: step.item });
        await reader.room();
      }
      throw new Error("expected a result at the end of the tokens, found none");
    } finally {
      this.#readers.delete(call);
    }
  }
}

/** How far the other thread is with reading an answer. */
class Reader {
  readonly #gone = new AbortController();
  #room = tokensOnTheWay;
  #wake: (() => void) | undefined;

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  read(tokens: number): void {
    this.#room += tokens;
    this.#wake?.();
  }

  leave(): void {
    this.#gone.abort();
    this.read(Infinity);
  }

  /** Takes a token's place; resolves when there is one for the next. */
  async room(): Promise<void> {
    this.#room -= 1;
    while (this.#room <= 0) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}
