import { Worker } from "node:worker_threads";
import type { GenerationResult, TokenEvent } from "@levin/model";
import { ApiError } from "../api/api-error.ts";
import type { Engine, GenerationSettings, OnPrefill } from "./engine.ts";
import {
  tokensOnTheWay,
  type EngineMethod,
  type EngineReply,
  type EngineRequest,
  type EngineStart,
} from "./engine-message.ts";
import { Inbox } from "./inbox.ts";
import { fromPlainError, toPlainError } from "./plain-error.ts";

type Answer = Extract<EngineReply, { call: number }>;

/** One life of the thread with the model. When it ends, all its open calls fail with a 503. */
export class EngineThread {
  readonly worker: Worker;
  /** Kept when the model is loaded; broken with the error of loading. */
  readonly loaded: Promise<void>;
  /** Kept with the reason when the thread has ended. */
  readonly ended: Promise<Error>;
  readonly #open = new Map<number, (answer: Answer) => void>();
  #calls = 0;
  #isEnded = false;

  constructor({ load, limits }: EngineStart) {
    const isSource = import.meta.url.endsWith(".ts");
    const file = new URL(`./engine-worker.${isSource ? "ts" : "js"}`, import.meta.url);
    this.worker = new Worker(file, {
      workerData: { load, limits } satisfies EngineStart,
      ...(isSource && { execArgv: ["--conditions=@levin/source"] }),
    });
    this.worker.on("message", (reply: EngineReply) => {
      if ("call" in reply) this.#open.get(reply.call)?.(reply);
    });
    this.ended = this.#end();
    this.loaded = this.#load();
  }

  async *generate(
    promptIds: readonly number[],
    settings: GenerationSettings,
    signal: AbortSignal,
    onPrefill?: OnPrefill,
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    const inbox = new Inbox<Exclude<Answer, { kind: "prefill" }>>();
    const call = this.#begin((answer) => {
      if (answer.kind === "prefill") onPrefill?.(answer.progress);
      else inbox.push(answer);
    });
    const abort = (): void => this.#post({ kind: "abort", call });
    signal.addEventListener("abort", abort, { once: true });
    let isDone = false;
    try {
      const tellsPrefill = onPrefill !== undefined;
      this.#post({ kind: "generate", call, promptIds, settings, tellsPrefill });
      if (signal.aborted) abort();
      for (let unread = 1; ; unread++) {
        const answer = await inbox.next();
        isDone = answer.kind !== "token";
        if (answer.kind === "error") throw fromPlainError(answer.error);
        if (answer.kind === "result") return answer.result as GenerationResult;
        yield answer.event;
        if (unread < tokensOnTheWay / 2) continue;
        this.#post({ kind: "read", call, tokens: unread });
        unread = 0;
      }
    } finally {
      signal.removeEventListener("abort", abort);
      this.#open.delete(call);
      if (!isDone) abort();
    }
  }

  /** A call of the engine that has one result. */
  async call<Method extends EngineMethod>(
    kind: Method,
    ...given: Parameters<Engine[Method]>
  ): Promise<Awaited<ReturnType<Engine[Method]>>> {
    const inbox = new Inbox<Answer>();
    const call = this.#begin((answer) => inbox.push(answer));
    try {
      this.#post({ kind, call, arguments: given } as EngineRequest);
      const answer = await inbox.next();
      if (answer.kind === "error") throw fromPlainError(answer.error);
      return (answer as { result: unknown }).result as Awaited<ReturnType<Engine[Method]>>;
    } finally {
      this.#open.delete(call);
    }
  }

  async terminate(): Promise<void> {
    await this.worker.terminate();
  }

  #begin(receive: (answer: Answer) => void): number {
    if (this.#isEnded) throw modelLost();
    const call = ++this.#calls;
    this.#open.set(call, receive);
    return call;
  }

  #post(request: EngineRequest): void {
    this.worker.postMessage(request, []);
  }

  #load(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.worker.once("message", (reply: EngineReply) => {
        if (reply.kind === "failed") reject(fromPlainError(reply.error));
        else resolve();
      });
      void this.ended.then(reject);
    });
  }

  async #end(): Promise<Error> {
    const reason = await new Promise<Error>((resolve) => {
      this.worker.once("error", (cause) =>
        resolve(cause instanceof Error ? cause : new Error(String(cause))),
      );
      this.worker.once("exit", (code) =>
        resolve(new Error(`the model's thread ended with code ${code}`)),
      );
    });
    this.#isEnded = true;
    const error = toPlainError(modelLost());
    for (const [call, receive] of this.#open) receive({ kind: "error", call, error });
    return reason;
  }
}

/** 503: the model went away under a call. */
function modelLost(): ApiError {
  return new ApiError(503, "the model was lost and is started again; try again soon", {
    code: "model_lost",
    retryAfter: 2,
  });
}
