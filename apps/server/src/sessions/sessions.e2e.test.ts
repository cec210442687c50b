import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProcess, startServerProcess } from "../testing/server-process.ts";
import { SessionClient, type ChatReply } from "../testing/session-client.ts";
import { hasPostgres, startPostgres, type RunningPostgres } from "../testing/start-postgres.ts";

const directory = mkdtempSync(join(tmpdir(), "levin-sessions-"));
let postgres: RunningPostgres | undefined;
beforeAll(async () => {
  if (hasPostgres) postgres = await startPostgres();
});
afterAll(async () => {
  await postgres?.stop();
  rmSync(directory, { recursive: true });
});

const questions = ["What is 12 plus 30?", "What is 5 plus 9?", "What is 40 plus 2?"];
/** A busy machine takes its time to start servers. */
const patience = 300_000;

const brief = { max_tokens: 60 };
const spark = async (...args: string[]) => {
  const server = await startServerProcess("--port", "0", ...args);
  return { ...server, client: new SessionClient(server.url, "spark") };
};
const said = (reply: ChatReply) => [reply.choices[0]!.message, reply.usage.completion_tokens];

describe("a session of spark", () => {
  it(
    "goes on after kill -9 as one that was never interrupted, and reads only what is new",
    { timeout: patience },
    async () => {
      const data = join(directory, "spark");
      const before = await spark("--data", data);
      const [whole, broken] = [await before.client.create(), await before.client.create()];
      const expected: ChatReply[] = [];
      for (const text of questions) expected.push(await before.client.ask(whole.id, text, brief));
      for (const text of questions.slice(0, 2)) await before.client.ask(broken.id, text, brief);
      const { token_count: tokens } = await before.client.get(broken.id);
      await before.kill();
      const after = await spark("--data", data);
      const last = await after.client.ask(broken.id, questions[2], brief);
      expect(said(last)).toEqual(said(expected[2]!));
      expect(last.usage.prompt_tokens_details.cached_tokens).toBe(tokens - 1);
      expect(last.usage.prompt_tokens - tokens).toBeLessThan(40);
      // A state that was imported elsewhere goes on in the same way.
      const other = await spark();
      const file = await after.client.request("GET", `sessions/${whole.id}/export`);
      const copy = await other.client.request("POST", "sessions/import", file);
      expect(copy.imported).toEqual({ state: "kept" });
      const [here, there] = [
        await after.client.ask(whole.id, questions[0], brief),
        await other.client.ask(copy.id, questions[0], brief),
      ];
      expect(said(there)).toEqual(said(here));
      expect(there.usage).toEqual(here.usage);
    },
  );

  it.skipIf(!hasPostgres)(
    "is shared by servers with one PostgreSQL, a turn at a time",
    async () => {
      const one = await spark("--database", postgres!.url);
      const two = await spark("--database", postgres!.url);
      const { id } = await one.client.create();
      const first = await one.client.ask(id, questions[0], brief);
      const second = await two.client.ask(id, questions[1], brief);
      const { prompt_tokens: read, completion_tokens: answered } = first.usage;
      expect(second.usage.prompt_tokens_details.cached_tokens).toBe(read + answered - 1);
      // An answer without an end mark goes on for long, the more so as nobody reads it.
      const endless = { stream: true, max_tokens: 20_000, logit_bias: { 509: -100 } };
      const running = await fetch(`${one.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(one.client.turn(id, questions[2], endless)),
      });
      expect(running.status).toBe(200);
      const again = () => two.client.ask(id, questions[2], brief).catch((error: unknown) => error);
      const busy = { status: 409, body: { error: { code: "session_busy" } } };
      expect(await again()).toMatchObject(busy);
      // A server that dies in a turn does not keep the session locked.
      await one.kill();
      await expect.poll(again, { timeout: 20_000 }).toMatchObject({ choices: [{}] });
      expect((await two.client.get(id)).message_count).toBe(6);
    },
  );
});

const program = join(import.meta.dirname, "../testing/scripted-process.ts");
const kills = 20;

/** What the server told us that it had done. */
interface Told {
  /** Texts of a session, by its id: question, answer, question … */
  sessions: Map<string, string[]>;
  titles: Map<string, string>;
  deleted: Set<string>;
  /** Called with each word of it. */
  onWord: () => void;
}

/** Asks until the server is gone. */
async function keepAsking(client: SessionClient, told: Told, number: () => number) {
  try {
    for (;;) {
      const { id } = await client.create();
      told.sessions.set(id, []);
      told.onWord();
      for (let turn = 0; turn < 4; turn++) {
        const text = `q${number()}`;
        const { choices } = await client.ask(id, text);
        told.sessions.get(id)!.push(text, choices[0]!.message.content);
        told.onWord();
      }
      const title = `title ${number()}`;
      await client.request("PATCH", `sessions/${id}`, { title });
      told.titles.set(id, title);
      told.onWord();
      const fork = await client.fork(id, { message: 3 });
      told.sessions.set(fork.id, told.sessions.get(id)!.slice(0, 4));
      const gone = await client.create();
      await client.request("DELETE", `sessions/${gone.id}`);
      told.deleted.add(gone.id);
      told.onWord();
    }
  } catch (error) {
    // What it refuses is no death.
    if (!(error instanceof TypeError)) throw error;
  }
}

async function check(client: SessionClient, told: Told): Promise<void> {
  for (const [id, texts] of told.sessions) {
    const { messages, token_count: tokens, states, title } = await client.get(id);
    const found = messages.map(({ content }) => content);
    expect(found.slice(0, texts.length)).toEqual(texts);
    // At most the turn that was under way came through untold; whole, as all others.
    expect([0, 2]).toContain(found.length - texts.length);
    for (let i = 0; i < found.length; i += 2) expect(found[i + 1]).toBe(found[i]);
    if (told.titles.has(id)) expect(title).toBe(told.titles.get(id));
    if (found.length > 0) expect(states.at(-1)!.tokens).toBe(tokens - 1);
  }
  for (const id of told.deleted)
    await expect(client.get(id)).rejects.toMatchObject({ status: 404 });
}

it(
  `loses nothing that it acknowledged in ${kills} kills amid writes`,
  async () => {
    const data = join(directory, "killed");
    const told: Told = {
      sessions: new Map(),
      titles: new Map(),
      deleted: new Set(),
      onWord: () => {},
    };
    let count = 0;
    for (let kill = 0; kill <= kills; kill++) {
      const server = await startProcess(program, [data]);
      const client = new SessionClient(server.url, "scripted");
      await check(client, told);
      if (kill === kills) break;
      // Sessions of earlier rounds were checked; those of the last ones stay in hand.
      for (const id of [...told.sessions.keys()].slice(0, -20)) told.sessions.delete(id);
      let words = 0;
      // Soon after some word or other, whatever is under way then.
      const last = 1 + Math.floor(Math.random() * 25);
      const reached = new Promise<void>((resolve) => {
        told.onWord = () => void (++words === last && resolve());
      });
      const asking = [1, 2, 3].map(() => keepAsking(client, told, () => ++count));
      await Promise.race([reached, Promise.all(asking)]);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
      await server.kill();
      await Promise.all(asking);
      const file = new Sqlite(join(data, "levin.db"));
      expect(file.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
      expect(file.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
      file.close();
    }
  },
  patience,
);
