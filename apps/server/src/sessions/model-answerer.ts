import { randomUUID } from "node:crypto";
import { ModelStateError } from "@levin/model";
import type { ConversationMessage, ToolDefinition } from "@levin/tokenizer";
import type { FastifyBaseLogger } from "fastify";
import { ApiError } from "../api/api-error.ts";
import { checkChatLength } from "../api/chat-prompt.ts";
import { checkPromptTokens } from "../api/prompt-length.ts";
import type { Engine } from "../engine/engine.ts";
import type { SessionMetrics, StateOutcome } from "../observability/session-metrics.ts";
import type { ServedModel } from "../served-model.ts";
import {
  checkEnd,
  newMessages,
  withoutTokens,
  type Answerer,
  type PreparedTurn,
  type SessionMemory,
  type TurnRequest,
} from "./answerer.ts";
import { conversationTokens } from "./conversation-tokens.ts";
import type { ModelPrompt } from "./model-turn.ts";
import type { NewSession, Session, SessionState } from "./session.ts";
import type { SessionStore } from "./session-store.ts";
import { titleOf } from "./title.ts";

export interface ModelAnswererOptions {
  served: ServedModel;
  engine: Engine;
  metrics: SessionMetrics;
  log: FastifyBaseLogger;
}

/** The model of this server answers: it needs only what is new of a session to be read. */
export class ModelAnswerer implements Answerer<ModelPrompt> {
  readonly memory: SessionMemory;
  readonly #options: ModelAnswererOptions;
  /** Without files there is nothing to know a model by: its states are of this server alone. */
  readonly #ownFingerprint = randomUUID();

  constructor(options: ModelAnswererOptions) {
    this.#options = options;
    this.memory = {
      vocabSize: options.served.model.config.vocabSize,
      restore: (id, ids, state) => this.#restore(id, ids, state),
    };
  }

  async model(): Promise<Pick<NewSession, "model" | "fingerprint">> {
    const { modelId, fingerprint } = this.#options.served;
    return { model: modelId, fingerprint: (await fingerprint?.()) ?? this.#ownFingerprint };
  }

  async prepare(
    store: SessionStore,
    session: Session,
    { messages, tools }: TurnRequest,
  ): Promise<PreparedTurn<ModelPrompt>> {
    const { served, metrics } = this.#options;
    const model = { ...(await this.model()), tools: toolsOf(session, tools) };
    const isKnown = session.fingerprint === model.fingerprint;
    const stored = await store.messages(session);
    checkChatLength(messages, tools, served);
    const all = [...(isKnown ? stored : stored.map(withoutTokens)), ...newMessages(messages)];
    checkEnd(all);
    const { tokens, opening } = conversationTokens(served, all, model.tools ?? []);
    const promptIds = [...tokens.flat(), ...opening];
    checkPromptTokens(promptIds, "messages", served);
    metrics.turn(isKnown ? await this.#restoreLast(store, session, promptIds) : "none");
    const firstNew = all.findIndex((message) => message.tokens === null);
    const from = firstNew < 0 ? all.length : firstNew;
    const said: number[] = [];
    const save = async (answer: ConversationMessage): Promise<void> => {
      const last = { message: answer, tokens: [...opening, ...said], createdAt: Date.now() };
      await store.add(session, {
        messages: [...all.map((message, i) => ({ ...message, tokens: tokens[i]! })), last].slice(
          from,
        ),
        from,
        state: await this.#savedState(session.id, all.length, [...promptIds, ...said]),
        model,
        title: titleOf(all.map(({ message }) => message)),
      });
    };
    return { prompt: { promptIds, salt: session.id, said }, tools: model.tools, save };
  }

  /** Sees that the engine has the session's last state; the database is read only if it has not. */
  async #restoreLast(
    store: SessionStore,
    session: Session,
    promptIds: readonly number[],
  ): Promise<StateOutcome> {
    const { id } = session;
    const last = (await store.states(session)).at(-1);
    if (!last) return "none";
    const { engine, log } = this.#options;
    if (await engine.hasState(promptIds.slice(0, last.tokens), id)) return "cached";
    const state = await store.state(session);
    if (!state) return "none";
    const reason = await this.#restore(id, promptIds, state);
    if (reason === undefined) return "restored";
    log.warn({ session: id, reason }, "a state is of no use");
    return "unusable";
  }

  async #restore(id: string, ids: readonly number[], state: SessionState) {
    try {
      await this.#options.engine.restoreState(ids.slice(0, state.tokens), state.bytes, id);
      return undefined;
    } catch (error) {
      if (error instanceof ModelStateError) return error.message;
      throw error;
    }
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
