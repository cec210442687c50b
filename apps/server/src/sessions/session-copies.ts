import { ApiError } from "../api/api-error.ts";
import { withoutTokens, type SessionMemory } from "./answerer.ts";
import { toFile, type ReadFile } from "./session-file.ts";
import { wholeSessionForm } from "./session-forms.ts";
import type { Session, SessionMessage } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/**
 * A session that goes on by itself from a message of another one, or from its last.
 * @throws ApiError (404; 400 when there is no such message)
 */
export async function forkSession(
  { store }: Sessions,
  owner: string,
  id: string,
  { message, title }: { message?: number | null | undefined; title?: string | null | undefined },
): Promise<Session> {
  const { session, messages, state } = await store.moment(async (now) => {
    const found = await now.find(owner, id);
    const { messageCount } = found;
    const last = message ?? messageCount - 1;
    if (last >= messageCount) {
      throw new ApiError(400, `message: expected an index below ${messageCount}, found ${last}`, {
        param: "message",
      });
    }
    const all = await now.messages(found);
    return {
      session: found,
      messages: all.slice(0, last + 1),
      state: await now.state(found, last),
    };
  });
  const forked = { ...session, title: title ?? session.title };
  return store.create(owner, forked, messages, state);
}

/**
 * A session and its messages, as clients see them.
 * @throws ApiError (404)
 */
export async function wholeSession({ store }: Sessions, owner: string, id: string) {
  return store.moment(async (now) => {
    const session = await now.find(owner, id);
    return wholeSessionForm(session, await now.messages(session), await now.states(session));
  });
}

/** A session as a file. */
export async function exportSession(
  { store }: Sessions,
  owner: string,
  id: string,
): Promise<object> {
  return store.moment(async (now) => {
    const session = await now.find(owner, id);
    return toFile(session, await now.messages(session), await now.state(session));
  });
}

/** What became of the state in a file that was imported. */
export interface ImportedState {
  state: "kept" | "dropped" | "none";
  /** Why it was dropped. */
  reason?: string;
}

/**
 * A session of a file. Of another model, its messages are kept, to be read anew; tokens and state
 * are dropped.
 */
export async function importSession(
  sessions: Sessions,
  owner: string,
  file: ReadFile,
): Promise<{ session: Session; imported: ImportedState }> {
  const model = await sessions.model();
  const isSame = file.model.fingerprint === model.fingerprint;
  const memory = isSame ? sessions.memory : undefined;
  const { title, metadata, tools, messages, state: given } = file;
  const kept = memory ? messages : messages.map(withoutTokens);
  if (memory) checkTokens(memory, messages);
  const state = memory && given;
  const session = await sessions.store.create(
    owner,
    { title, metadata, tools, ...model },
    kept,
    state,
  );
  if (!given) return { session, imported: { state: "none" } };
  const reason =
    memory && state
      ? await memory.restore(
          session.id,
          messages.flatMap(({ tokens }) => tokens ?? []),
          state,
        )
      : `it is of the model "${file.model.id}" with other weights than "${model.model}" has here; ` +
        "the messages are read anew with the next turn";
  if (reason === undefined) return { session, imported: { state: "kept" } };
  return { session, imported: { state: "dropped", reason } };
}

function checkTokens({ vocabSize }: SessionMemory, messages: readonly SessionMessage[]): void {
  for (const [i, { tokens }] of messages.entries()) {
    const unknown = tokens?.find((token) => token >= vocabSize);
    if (unknown === undefined) continue;
    throw new ApiError(
      400,
      `messages[${i}].tokens: expected ids in 0..${vocabSize - 1}, found ${unknown}`,
      { param: `messages[${i}].tokens` },
    );
  }
}
