import type { Writable } from "node:stream";
import type { FastifyBaseLogger } from "fastify";
import { ApiError } from "../api/api-error.ts";
import type { Answerer, SessionMemory, TurnRequest } from "./answerer.ts";
import type { Database } from "./database.ts";
import type { NewSession } from "./session.ts";
import type { SessionLimits } from "./session-limits.ts";
import { SessionStore } from "./session-store.ts";
import type { StateQuota } from "./state-quota.ts";
import { Turn } from "./turn.ts";

export interface SessionsOptions<Prompt> {
  answerer: Answerer<Prompt>;
  database: Database;
  quota: StateQuota;
  limits: SessionLimits;
  log: FastifyBaseLogger;
}

/** A turn, and what is to be answered. */
export interface BegunTurn<Prompt> {
  turn: Turn;
  prompt: Prompt;
}

/** Sessions and who answers in them. */
export class Sessions<Prompt = unknown> {
  readonly store: SessionStore;
  readonly #options: SessionsOptions<Prompt>;

  constructor(options: SessionsOptions<Prompt>) {
    this.#options = options;
    this.store = new SessionStore(options.database, options.quota, options.limits);
  }

  /** What is kept beside messages, if anything is. */
  get memory(): SessionMemory | undefined {
    return this.#options.answerer.memory;
  }

  /** What tokens and states of now are of. */
  model(): Promise<Pick<NewSession, "model" | "fingerprint">> {
    return this.#options.answerer.model();
  }

  /**
   * Does something to a session while no turn runs in it.
   * @throws ApiError (404), and 409 when one does
   */
  async exclusively<Result>(owner: string, id: string, act: () => Promise<Result>) {
    await this.#lock(owner, id);
    try {
      return await act();
    } finally {
      await this.#options.database.unlock(id);
    }
  }

  /**
   * @param reply the session is locked until it is closed or the answer has ended
   * @throws ApiError (404; 409 while another turn runs; 403 when sessions are too large; 400 for
   *   what can't be appended)
   */
  async begin(
    owner: string,
    id: string,
    request: TurnRequest,
    reply: Writable,
  ): Promise<BegunTurn<Prompt>> {
    await this.#lock(owner, id);
    const unlock = (): Promise<void> => this.#options.database.unlock(id);
    try {
      await this.store.checkGrowth(owner);
      const session = await this.store.find(owner, id);
      const { prompt, ...turn } = await this.#options.answerer.prepare(
        this.store,
        session,
        request,
      );
      const onError = (error: unknown): void =>
        this.#options.log.error({ err: error }, "a broken-off answer was not saved");
      return { turn: new Turn({ ...turn, unlock, onError }, reply, request), prompt };
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  async #lock(owner: string, id: string): Promise<void> {
    await this.store.find(owner, id);
    if (await this.#options.database.lock(id)) return;
    throw new ApiError(409, `the session "${id}" has a turn that runs; wait for its end`, {
      param: "session",
      code: "session_busy",
    });
  }
}
