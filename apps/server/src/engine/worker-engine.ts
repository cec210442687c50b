import { setTimeout as sleep } from "node:timers/promises";
import type { GenerationResult, TokenEvent } from "@levin/model";
import type { FastifyBaseLogger } from "fastify";
import {
  modelNotLoaded,
  type Engine,
  type EngineStats,
  type GenerationSettings,
  type OnPrefill,
} from "./engine.ts";
import type { EngineStart } from "./engine-message.ts";
import { EngineThread } from "./engine-thread.ts";

export interface WorkerEngineOptions extends EngineStart {
  /** Told when the thread ends and starts. */
  logger?: Pick<FastifyBaseLogger, "error" | "info"> | undefined;
  /** Milliseconds before a lost thread is started again; doubled each time it is lost soon. Default 250. */
  restartDelay?: number;
}

const longestDelay = 30_000;
/** A thread that ran for so many milliseconds was well. */
const stableAfter = 60_000;

/**
 * A model in a thread of its own, so that the thread that serves stays free. When that thread ends,
 * running calls fail with a 503 and it is started again.
 */
export class WorkerEngine implements Engine {
  readonly #options: WorkerEngineOptions;
  readonly #closing = new AbortController();
  /** The latest one; perhaps still loading. */
  #thread: EngineThread;
  #isLoaded = false;

  /** Kept when the model is there for the first time; broken with what `loadServedModel` throws. */
  readonly loaded: Promise<void>;

  /** @throws what `loadServedModel` throws */
  static async start(options: WorkerEngineOptions): Promise<WorkerEngine> {
    const engine = new WorkerEngine(options);
    await engine.loaded;
    return engine;
  }

  /** Begins to load; calls are refused until the model is there. */
  constructor(options: WorkerEngineOptions) {
    this.#options = options;
    this.#thread = new EngineThread(options);
    this.loaded = this.#load();
    // Who does not wait for it hears of it by `isReady`.
    this.loaded.then(
      () => this.#keepAlive(),
      () => {},
    );
  }

  get isReady(): boolean {
    return this.#isLoaded;
  }

  /** The thread that answers now. */
  get thread(): EngineThread {
    if (!this.#isLoaded) throw modelNotLoaded();
    return this.#thread;
  }

  async *generate(
    promptIds: readonly number[],
    settings: GenerationSettings,
    signal: AbortSignal,
    onPrefill?: OnPrefill,
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    return yield* this.thread.generate(promptIds, settings, signal, onPrefill);
  }

  async embed(texts: readonly (readonly number[])[]): Promise<Float32Array[]> {
    return this.thread.call("embed", texts);
  }

  async hasState(ids: readonly number[], salt?: string): Promise<boolean> {
    return this.thread.call("hasState", ids, salt);
  }

  async saveState(ids: readonly number[], salt?: string): Promise<Uint8Array | undefined> {
    return this.thread.call("saveState", ids, salt);
  }

  async restoreState(ids: readonly number[], bytes: Uint8Array, salt?: string): Promise<void> {
    return this.thread.call("restoreState", ids, bytes, salt);
  }

  async stats(): Promise<EngineStats> {
    return this.thread.call("stats");
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#thread.terminate();
  }

  async #load(): Promise<void> {
    try {
      await this.#thread.loaded;
      this.#isLoaded = true;
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
      throw new Error("closed while the model was loading", { cause: error });
    }
  }

  /** Starts the thread again whenever it ends, until the engine is closed. */
  async #keepAlive(): Promise<void> {
    const { logger, restartDelay = 250 } = this.#options;
    let delay = restartDelay;
    for (;;) {
      const started = performance.now();
      const reason = await this.#thread.ended;
      this.#isLoaded = false;
      if (this.#closing.signal.aborted) return;
      if (performance.now() - started > stableAfter) delay = restartDelay;
      logger?.error({ err: reason, delay }, "the model's thread ended; it is started again");
      await sleep(delay, undefined, { signal: this.#closing.signal }).catch(() => {});
      if (this.#closing.signal.aborted) return;
      delay = Math.min(2 * delay, longestDelay);
      await this.#restart();
    }
  }

  async #restart(): Promise<void> {
    const { logger } = this.#options;
    this.#thread = new EngineThread(this.#options);
    try {
      await this.#load();
      logger?.info("the model is loaded again");
    } catch (error) {
      logger?.error({ err: error }, "the model could not be loaded again");
    }
  }
}
