import { randomUUID } from "node:crypto";
import type { Writable } from "node:stream";
import { ModelStateError } from "@levin/model";
import type { ConversationMessage, ToolDefinition } from "@levin/tokenizer";
import type { FastifyBaseLogger } from "fastify";
import { ApiError } from "../api/api-error.ts";
import { checkChatLength } from "../api/chat-prompt.ts";
import type { Engine } from "../engine/engine.ts";
import type { SessionMetrics, StateOutcome } from "../observability/session-metrics.ts";
import type { ServedModel } from "../served-model.ts";
import { conversationTokens } from "./conversation-tokens.ts";
import type { Database } from "./database.ts";
import type { NewSession, Session, SessionMessage, SessionState } from "./session.ts";
import type { SessionLimits } from "./session-limits.ts";
import { SessionStore } from "./session-store.ts";
import type { StateQuota } from "./state-quota.ts";
import { titleOf } from "./title.ts";
import { Turn } from "./turn.ts";

/** What a turn asks of a session. */
export interface TurnRequest {
  /** New messages; none answers the last one again. */
  messages: readonly ConversationMessage[];
  /** Those of the first turn count; later ones name the same, or none. */
  tools: readonly ToolDefinition[];
  isStreamed: boolean;
}

export interface SessionsOptions {
  served: ServedModel;
  engine: Engine;
  database: Database;
  quota: StateQuota;
  limits: SessionLimits;
  metrics: SessionMetrics;
  log: FastifyBaseLogger;
}

/** Sessions and the model that answers in them. */
export class Sessions {
  readonly store: SessionStore;
  readonly #options: SessionsOptions;
  /** Without files there is nothing to know a model by: its states are of this server alone. */
  readonly #ownFingerprint = randomUUID();

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.store = new SessionStore(options.database, options.quota, options.limits);
  }

  get vocabSize(): number {
    return this.#options.served.model.config.vocabSize;
  }

  /** What tokens and states of now are of. */
  async model(): Promise<Pick<NewSession, "model" | "fingerprint">> {
    const { modelId, fingerprint } = this.#options.served;
    return { model: modelId, fingerprint: (await fingerprint?.()) ?? this.#ownFingerprint };
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
   * Begins a turn, so that its answer needs only what is new to be read.
   * @param reply the session is locked until it is closed or the answer has ended
   * @throws ApiError (404; 409 while another turn runs; 400 for what can't be appended)
   */
  async begin(owner: string, id: string, request: TurnRequest, reply: Writable): Promise<Turn> {
    await this.#lock(owner, id);
    const unlock = (): Promise<void> => this.#options.database.unlock(id);
    try {
      await this.store.checkGrowth();
      const session = await this.#prepare(await this.store.find(owner, id), request);
      const onError = (error: unknown): void =>
        this.#options.log.error({ err: error }, "a broken-off answer was not saved");
      return new Turn({ ...session, salt: id, unlock, onError }, reply, request);
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  /**
   * Puts a state into the engine's cache.
   * @param ids all tokens of the session
   * @returns why it can't be used, or undefined
   */
  async restore(id: string, ids: readonly number[], state: SessionState) {
    try {
      await this.#options.engine.restoreState(ids.slice(0, state.tokens), state.bytes, id);
      return undefined;
    } catch (error) {
      if (error instanceof ModelStateError) return error.message;
      throw error;
    }
  }

  async #prepare(session: Session, { messages, tools }: TurnRequest) {
    const model = { ...(await this.model()), tools: toolsOf(session, tools) };
    const isKnown = session.fingerprint === model.fingerprint;
    const stored = await this.store.messages(session);
    checkChatLength(messages, tools, this.#options.served);
    const createdAt = Date.now();
    const added = messages.map((message) => ({ message, tokens: null, createdAt }));
    const all = [...(isKnown ? stored : stored.map(withoutTokens)), ...added];
    checkEnd(all);
    const { tokens, opening } = conversationTokens(this.#options.served, all, model.tools ?? []);
    const promptIds = [...tokens.flat(), ...opening];
    const outcome = isKnown ? await this.#restoreLast(session, promptIds) : "none";
    this.#options.metrics.turn(outcome);
    const firstNew = all.findIndex((message) => message.tokens === null);
    const from = firstNew < 0 ? all.length : firstNew;
    const save = async (answer: ConversationMessage, ids: readonly number[]): Promise<void> => {
      const said = { message: answer, tokens: [...opening, ...ids], createdAt: Date.now() };
      await this.store.add(session, {
        messages: [...all.map((message, i) => ({ ...message, tokens: tokens[i]! })), said].slice(
          from,
        ),
        from,
        state: await this.#savedState(session.id, all.length, [...promptIds, ...ids]),
        model,
        title: titleOf(all.map(({ message }) => message)),
      });
    };
    return { promptIds, tools: model.tools, save };
  }

  /** Sees that the engine has the session's last state; the database is read only if it has not. */
  async #restoreLast(session: Session, promptIds: readonly number[]): Promise<StateOutcome> {
    const { id } = session;
    const last = (await this.store.states(session)).at(-1);
    if (!last) return "none";
    const { engine, log } = this.#options;
    if (await engine.hasState(promptIds.slice(0, last.tokens), id)) return "cached";
    const state = await this.store.state(session);
    if (!state) return "none";
    const reason = await this.restore(id, promptIds, state);
    if (reason === undefined) return "restored";
    log.warn({ session: id, reason }, "a state is of no use");
    return "unusable";
  }

  /** The state after an answer whose last token was not fed. */
  async #savedState(
    id: string,
    position: number,
    ids: readonly number[],
  ): Promise<SessionState | undefined> {
    const tokens = ids.length - 1;
    try {
      const bytes = await this.#options.engine.saveState(ids.slice(0, tokens), id);
      return bytes && { position, tokens, bytes };
    } catch (error) {
      // The answer is worth more than its state, which can be found again by reading.
      this.#options.log.warn({ err: error, session: id }, "a state was not saved");
      return undefined;
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

function withoutTokens(message: SessionMessage): SessionMessage {
  return { ...message, tokens: null };
}

/** @throws ApiError (400) when there is nothing to answer */
function checkEnd(messages: readonly SessionMessage[]): void {
  const role = messages.at(-1)?.message.role;
  if (role === "user" || role === "tool") return;
  const found = role === undefined ? "no message" : `one of role ${role}`;
  throw new ApiError(
    400,
    `messages: expected a question at the end of the session, found ${found}`,
    {
      param: "messages",
    },
  );
}

/** @throws ApiError (400) when others are named than before: they stand at the beginning */
function toolsOf(session: Session, asked: readonly ToolDefinition[]): NewSession["tools"] {
  const isBegun = session.tokenCount > 0;
  if (!isBegun && asked.length > 0) return asked;
  if (asked.length === 0 || JSON.stringify(asked) === JSON.stringify(session.tools)) {
    return session.tools;
  }
  throw new ApiError(400, "tools: expected those of the session's first turn, or none", {
    param: "tools",
  });
}
