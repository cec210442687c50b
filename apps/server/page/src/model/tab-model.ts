import type { AnswerSource, ApiMessage, AskOptions, Delta } from "../answers/answer-source.ts";
import type { TabBackend, TabReady, TabReply, TabRequest } from "./tab-protocol.ts";

/** A model in a worker of this tab. */
export class RunningTabModel implements AnswerSource {
  readonly #worker = new Worker(new URL("./tab-model.worker.ts", import.meta.url), {
    type: "module",
  });
  readonly #listeners = new Map<number, (reply: TabReply) => void>();
  #asks = 0;

  /**
   * Fetches the model, or takes it from this browser's copy.
   * @throws Error when it cannot be had
   */
  load(
    backend: TabBackend,
    apiKey: string,
    onProgress: (done: number, total: number) => void,
  ): Promise<TabReady> {
    return new Promise((resolve, reject) => {
      this.#worker.addEventListener("error", ({ message }) =>
        reject(new Error(message || "the worker of the model did not start")),
      );
      this.#worker.addEventListener("message", ({ data }: MessageEvent<TabReply>) => {
        if (data.type === "progress") onProgress(data.done, data.total);
        else if (data.type === "ready") resolve(data);
        else if (data.type === "unloaded") reject(new Error(data.message));
        else this.#listeners.get(data.ask)?.(data);
      });
      this.#send({ type: "load", backend, apiKey });
    });
  }

  async *stream(
    messages: readonly ApiMessage[],
    { thinkingBudget, tools, signal }: AskOptions,
  ): AsyncGenerator<Delta> {
    const ask = ++this.#asks;
    const replies: TabReply[] = [];
    let wake = (): void => {};
    this.#listeners.set(ask, (reply) => {
      replies.push(reply);
      wake();
    });
    const stop = (): void => this.#send({ type: "stop", ask });
    signal.addEventListener("abort", stop);
    try {
      this.#send({ type: "ask", ask, messages, thinkingBudget, tools });
      for (;;) {
        const reply = replies.shift();
        if (!reply) await new Promise<void>((resolve) => (wake = resolve));
        else if (reply.type === "delta") yield reply.delta;
        else if (reply.type === "end") {
          signal.throwIfAborted();
          if (reply.error !== undefined) throw new Error(reply.error);
          return;
        }
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#listeners.delete(ask);
    }
  }

  countTokens(text: string): Promise<number> {
    const ask = ++this.#asks;
    return new Promise((resolve) => {
      this.#listeners.set(ask, (reply) => {
        this.#listeners.delete(ask);
        if (reply.type === "counted") resolve(reply.tokens);
      });
      this.#send({ type: "count", ask, text });
    });
  }

  close(): void {
    this.#worker.terminate();
  }

  #send(request: TabRequest): void {
    // A worker has no origin to name, unlike a window.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    this.#worker.postMessage(request);
  }
}
