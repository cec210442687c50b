import type { ConversationMessage } from "@levin/tokenizer";
import {
  checkEnd,
  newMessages,
  withoutTokens,
  type Answerer,
  type PreparedTurn,
  type TurnRequest,
} from "../sessions/answerer.ts";
import type { NewSession, Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import { titleOf } from "../sessions/title.ts";
import type { Upstreams } from "./upstreams.ts";

/** Of sessions without tokens and states: whoever takes them on with a model reads them anew. */
const fingerprint = "";

/** Other engines answer: sessions are their messages, which are sent whole with each turn. */
export class UpstreamAnswerer implements Answerer<readonly ConversationMessage[]> {
  readonly #upstreams: Upstreams;

  constructor(upstreams: Upstreams) {
    this.#upstreams = upstreams;
  }

  /** Nobody knows yet which of several models will be asked. */
  model(): Promise<Pick<NewSession, "model" | "fingerprint">> {
    const [only, ...others] = this.#upstreams.models;
    return Promise.resolve({ model: others.length > 0 ? "" : (only?.id ?? ""), fingerprint });
  }

  async prepare(
    store: SessionStore,
    session: Session,
    { model, messages, tools: asked }: TurnRequest,
  ): Promise<PreparedTurn<readonly ConversationMessage[]>> {
    const stored = await store.messages(session);
    const isOurs = session.fingerprint === fingerprint;
    const all = [...(isOurs ? stored : stored.map(withoutTokens)), ...newMessages(messages)];
    checkEnd(all);
    const from = isOurs ? stored.length : 0;
    const tools = asked.length > 0 ? asked : session.tools;
    const prompt = all.map(({ message }) => message);
    const save = async (answer: ConversationMessage): Promise<void> => {
      await store.add(session, {
        messages: [...all.slice(from), ...newMessages([answer])],
        from,
        state: undefined,
        model: { model, fingerprint, tools },
        title: titleOf(prompt),
      });
    };
    return { prompt, tools, save };
  }
}
