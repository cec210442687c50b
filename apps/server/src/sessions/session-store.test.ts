import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Migrator, sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { patient } from "../testing/expect-idle.ts";
import { eachDatabase } from "../testing/each-database.ts";
import { hasPostgres, startPostgres } from "../testing/start-postgres.ts";
import type { Database } from "./database.ts";
import { openDatabase } from "./open-database.ts";
import { migrations } from "./schema.ts";
import type { NewSession, Session, SessionMessage } from "./session.ts";
import { defaultLimits, type SessionLimits } from "./session-limits.ts";
import { SessionStore, type Addition } from "./session-store.ts";
import { openSqlite } from "./sqlite.ts";
import { defaultQuota } from "./state-quota.ts";

const model = { model: "tiny", fingerprint: "f1", tools: null };
const blank: NewSession = { ...model, title: null, metadata: {} };
const said = (content: string, tokens: number[] | null = [1, 70_000]): SessionMessage => ({
  message: { role: "user", content },
  tokens,
  createdAt: 1_700_000_000_000,
});
const bytes = (size: number, fill = 7) => new Uint8Array(size).fill(fill);

const directory = mkdtempSync(join(tmpdir(), "levin-sessions-"));
afterAll(() => rmSync(directory, { recursive: true }));

eachDatabase("sessions", (opened) => {
  let database: Database;
  let store: SessionStore;
  beforeAll(() => {
    database = opened();
    store = new SessionStore(database, defaultQuota);
  });

  const add = async (session: Session, change: Partial<Addition> = {}): Promise<Session> => {
    const from = change.from ?? session.messageCount;
    const messages = [said(`message ${from}`)];
    await store.add(session, { messages, from, state: undefined, model, title: "", ...change });
    return store.find("ann", session.id);
  };

  it("gives back what it was given", async () => {
    const title = 'Ünïcode "quoted"; DROP TABLE session; -- 🙂';
    const metadata = { project: "x", "a'b": "\\" };
    const tools = [{ type: "function" as const, function: { name: "look" } }];
    const messages = [said("a\u{1F642}\n'b'"), said("later", null)];
    const state = { position: 0, tokens: 1, bytes: bytes(100_000) };
    const created = await store.create(
      "ann",
      { ...blank, title, metadata, tools },
      messages,
      state,
    );
    const found = await store.find("ann", created.id);
    expect(found).toEqual(created);
    expect(found).toMatchObject({ title, metadata, tools, messageCount: 2, tokenCount: 2 });
    expect(await store.messages(found)).toEqual(messages);
    expect(await store.state(found)).toEqual(state);
    expect(await store.states(found)).toEqual([{ position: 0, tokens: 1, size: 100_000 }]);
  });

  it("is another's for others: not found, changed, deleted or listed", async () => {
    const { id } = await store.create("ann", blank, []);
    const missing = { status: 404, code: "session_not_found" };
    for (const owner of ["bob", ""]) {
      await expect(store.find(owner, id)).rejects.toMatchObject(missing);
      await expect(store.update(owner, id, { title: "mine" })).rejects.toMatchObject(missing);
      await expect(store.delete(owner, id)).rejects.toMatchObject(missing);
      await expect(store.list(owner, { limit: 1, after: id })).rejects.toMatchObject(missing);
      expect((await store.list(owner, { limit: 100 })).sessions).toEqual([]);
    }
    expect((await store.find("ann", id)).title).toBeNull();
  });

  it("lists in pages, the newest change first, each once", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) ids.push((await store.create("pages", blank, [])).id);
    await new Promise((resolve) => setTimeout(resolve, 2));
    await store.update("pages", ids[2]!, { metadata: { touched: "yes" } });
    const seen: string[] = [];
    for (let after: string | undefined; ;) {
      const { sessions, hasMore } = await store.list("pages", { limit: 3, after });
      seen.push(...sessions.map(({ id }) => id));
      after = seen.at(-1);
      if (!hasMore) break;
      expect(sessions).toHaveLength(3);
    }
    expect(seen[0]).toBe(ids[2]);
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });

  it("finds titles by a part in any case, and takes no sign for a pattern", async () => {
    for (const title of ["Über 100% Öl", "100 plus 5", "under_score", "back\\slash"]) {
      await store.create("titles", { ...blank, title }, []);
    }
    const find = async (query: string) =>
      (await store.list("titles", { limit: 9, query })).sessions.map(({ title }) => title);
    expect(await find("üBER")).toEqual(["Über 100% Öl"]);
    expect(await find("100%")).toEqual(["Über 100% Öl"]);
    expect(await find("r_s")).toEqual(["under_score"]);
    expect(await find("k\\s")).toEqual(["back\\slash"]);
    expect(await find("100")).toHaveLength(2);
    expect(await find("nothing")).toEqual([]);
  });

  it("adds a turn whole, names what has no name, and fills tokens in", async () => {
    let session = await store.create("ann", blank, [said("system", null)]);
    const messages = [said("system", [5]), said("hello", [6, 7]), said("answer", [8])];
    session = await add(session, { messages, from: 0, title: "hello" });
    expect(session).toMatchObject({ title: "hello", messageCount: 3, tokenCount: 4, version: 1 });
    await store.update("ann", session.id, { title: "named" });
    session = await add(session, { title: "other" });
    expect(session).toMatchObject({ title: "named", messageCount: 4, tokenCount: 6 });
    expect((await store.messages(session)).slice(0, 3)).toEqual(messages);
  });

  it("refuses a turn on what was changed or deleted since it was read, and leaves no trace", async () => {
    const session = await store.create("ann", blank, []);
    const state = { position: 0, tokens: 1, bytes: bytes(10) };
    await add(session);
    const changed = { status: 409, code: "session_changed" };
    await expect(add(session, { state })).rejects.toMatchObject(changed);
    const now = await store.find("ann", session.id);
    expect(now.messageCount).toBe(1);
    expect(await store.states(now)).toEqual([]);
    await store.delete("ann", session.id);
    await expect(add(now)).rejects.toMatchObject(changed);
    expect(await store.messages(now)).toEqual([]);
  });

  it("drops the states of a model when another one goes on", async () => {
    let session = await store.create("ann", blank, [said("a")], {
      position: 0,
      tokens: 1,
      bytes: bytes(10),
    });
    const other = { ...model, model: "other", fingerprint: "f2" };
    session = await add(session, { from: 0, messages: [said("a"), said("b")], model: other });
    expect(session).toMatchObject({ model: "other", fingerprint: "f2" });
    expect(await store.state(session)).toBeUndefined();
  });

  it("keeps the newest states of a session, of all, and the young ones; messages stay", async () => {
    const few = new SessionStore(database, { ...defaultQuota, perSession: 2 });
    let session = await store.create("ann", blank, []);
    const turn = async (target: SessionStore, size: number) => {
      const position = session.messageCount;
      const state = { position, tokens: position + 1, bytes: bytes(size) };
      const change = { messages: [said("x")], from: position, state, model, title: "" };
      await target.add(session, change);
      session = await store.find("ann", session.id);
    };
    const positions = async () => (await store.states(session)).map(({ position }) => position);
    for (let i = 0; i < 4; i++) await turn(few, 10);
    expect(await positions()).toEqual([2, 3]);
    expect((await store.state(session, 2))!.position).toBe(2);
    await turn(new SessionStore(database, { ...defaultQuota, bytes: 1000 }), 900);
    await turn(new SessionStore(database, { ...defaultQuota, bytes: 1000 }), 900);
    expect(await positions()).toEqual([5]);
    const hourAgo = { created_at: Date.now() - 3_600_000 };
    await database.db.updateTable("state").set(hourAgo).execute();
    await turn(new SessionStore(database, { ...defaultQuota, age: 1_800_000 }), 10);
    expect(await positions()).toEqual([6]);
    expect(session.messageCount).toBe(7);
    expect(await store.messages(session)).toHaveLength(7);
  });

  it("takes room for states from the keys that hold most of them", async () => {
    await database.db.deleteFrom("state").execute();
    const shared = new SessionStore(database, { ...defaultQuota, bytes: 1000 });
    let minute = 0;
    const keep = async (owner: string, size: number) => {
      const state = { position: 0, tokens: 1, bytes: bytes(size) };
      const session = await shared.create(owner, blank, [said("x")], state);
      // Of states of one millisecond none is the older one.
      const created_at = Date.now() - 3_600_000 + 60_000 * minute++;
      const own = database.db.updateTable("state").where("session_id", "=", session.id);
      await own.set({ created_at }).execute();
      return session;
    };
    const kept = async (sessions: readonly Session[]) => {
      const states = await Promise.all(sessions.map((session) => shared.states(session)));
      return states.map(({ length }) => length);
    };
    const little = await keep("little", 150);
    const much: Session[] = [];
    for (let i = 0; i < 9; i++) much.push(await keep("much", 100));
    expect(await kept([little, ...much])).toEqual([1, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    const other = await keep("other", 400);
    expect(await kept([little, other, ...much])).toEqual([1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
  });

  it("reads a session as it is at one moment, whatever is added meanwhile", async () => {
    const created = await store.create("ann", blank, [said("a")]);
    let added: Promise<Session> | undefined;
    const [session, messages] = await store.moment(async (now) => {
      const found = await now.find("ann", created.id);
      added = add(created);
      // A database of one connection adds it later.
      await Promise.race([added, sleep(100)]);
      return [found, await now.messages(found)];
    });
    expect(messages).toHaveLength(session.messageCount);
    expect(await store.messages(await added!)).toHaveLength(2);
  });

  it("deletes all of a session", async () => {
    const state = { position: 0, tokens: 1, bytes: bytes(10) };
    const session = await store.create("ann", blank, [said("a")], state);
    await store.delete("ann", session.id);
    expect(await store.messages(session)).toEqual([]);
    expect(await store.state(session)).toBeUndefined();
  });

  it("holds more messages than a statement has parameters", async () => {
    const messages = Array.from({ length: 3000 }, (_, i) => said(`message ${i}`, [i]));
    const session = await store.create("ann", blank, messages);
    expect(await store.messages(session)).toEqual(messages);
  });

  it("knows the bytes of its messages and tokens, also when some are written anew", async () => {
    const text = "Ünïcode";
    const bodySize = Buffer.byteLength(JSON.stringify(said(text).message));
    let session = await store.create("ann", blank, [said(text, null), said(text, [1, 2])]);
    expect(session.size).toBe(2 * bodySize + 8);
    const messages = [said(text, [1, 2, 3]), said(text, [1, 2]), said(text, [4])];
    session = await add(session, { messages, from: 0 });
    expect(session.size).toBe(3 * bodySize + 24);
    session = await add(session, { messages: [said(text, null)] });
    expect(session.size).toBe(4 * bodySize + 24);
    const tools = [{ type: "function" as const, function: { name: "läuft" } }];
    const toolsSize = Buffer.byteLength(JSON.stringify(tools));
    expect((await store.create("ann", { ...blank, tools }, [])).size).toBe(toolsSize);
    session = await add(session, { model: { ...model, tools }, messages: [] });
    expect(session.size).toBe(4 * bodySize + 24 + toolsSize);
  });

  it("lets there be only so many sessions, of a key and in all, and bytes", async () => {
    const limited = (limits: Partial<SessionLimits>) =>
      new SessionStore(database, defaultQuota, { ...defaultLimits, ...limits });
    const tooMany = { status: 403, code: "session_limit_exceeded" };
    const few = limited({ perKey: 2 });
    const { id } = await few.create("limited", blank, []);
    await few.create("limited", blank, []);
    await expect(few.create("limited", blank, [])).rejects.toMatchObject(tooMany);
    await few.create("other", blank, []);
    await store.delete("limited", id);
    await few.create("limited", blank, []);
    await expect(limited({ total: 3 }).create("third", blank, [])).rejects.toMatchObject(tooMany);
    const full = limited({ bytes: 1 });
    await store.create("other", blank, [said("some text")]);
    const tooLarge = { status: 403, code: "session_bytes_exceeded" };
    await expect(full.create("third", blank, [])).rejects.toMatchObject(tooLarge);
    await expect(full.checkGrowth("third")).rejects.toMatchObject(tooLarge);
    await store.checkGrowth("third");
    const share = limited({ bytesPerKey: 5 });
    await expect(share.checkGrowth("other")).rejects.toMatchObject(tooLarge);
    await expect(share.create("other", blank, [])).rejects.toMatchObject(tooLarge);
    await share.checkGrowth("third");
  });

  it("takes NUL in titles and in what is looked for", async () => {
    const named = await store.create("nul", { ...blank, title: "a\0b" }, []);
    const asked = await store.create("nul", blank, []);
    await store.add(asked, {
      messages: [said("c\0d")],
      from: 0,
      state: undefined,
      model,
      title: "c\0d",
    });
    expect(await store.find("nul", named.id)).toMatchObject({ title: "a\uFFFDb" });
    expect(await store.find("nul", asked.id)).toMatchObject({ title: "c\uFFFDd" });
    const { sessions } = await store.list("nul", { limit: 2, query: "A\0B" });
    expect(sessions.map(({ id }) => id)).toEqual([named.id]);
    const missing = { status: 404, code: "session_not_found" };
    await expect(store.find("nul", "\0")).rejects.toMatchObject(missing);
    await expect(store.update("nul", "\0", { title: "\0" })).rejects.toMatchObject(missing);
    await expect(store.delete("nul", "\0")).rejects.toMatchObject(missing);
  });

  it("gives a lock to one at a time", async () => {
    expect(await database.lock("a")).toBe(true);
    expect([await database.lock("a"), await database.lock("b")]).toEqual([false, true]);
    await database.unlock("a");
    expect(await database.lock("a")).toBe(true);
    await Promise.all(["a", "b"].map((name) => database.unlock(name)));
  });
});

describe("a data directory", () => {
  it("keeps what was written, and is one server's at a time", async () => {
    const data = join(directory, "new/below");
    const first = await openDatabase({ data });
    const session = await new SessionStore(first, defaultQuota).create("ann", blank, [said("a")]);
    await expect(openDatabase({ data })).rejects.toThrow(/in use by another server/);
    await first.close();
    const second = await openDatabase({ data });
    expect(await new SessionStore(second, defaultQuota).find("ann", session.id)).toEqual(session);
    await second.close();
  });

  it("says what is wrong with one that can't be used", async () => {
    const below = join(import.meta.filename, "below");
    await expect(openDatabase({ data: below })).rejects.toThrow(
      /cannot use .*below for sessions: ENOTDIR/,
    );
    const other = mkdtempSync(join(directory, "other-"));
    writeFileSync(join(other, "levin.db"), "some text");
    await expect(openDatabase({ data: other })).rejects.toThrow(/other.*file is not a database/);
  });

  it.skipIf(!existsSync("/proc"))("does not wait for ever for one that can't be made", async () => {
    const data = "/proc/levin/below";
    await expect(openDatabase({ data })).rejects.toThrow(
      /cannot use \/proc.* for sessions: ENOENT/,
    );
  });
});

describe("a database of before sessions had sizes, and states owners", () => {
  it("gets them when it is opened", async () => {
    const data = join(directory, "before");
    const before = openSqlite(data);
    const { db } = before;
    const provider = { getMigrations: () => Promise.resolve(migrations) };
    await new Migrator({ db, provider }).migrateTo("0002_responses");
    await sql`INSERT INTO session
      (id, owner, title_key, metadata, model, fingerprint, message_count, token_count, created_at, updated_at)
      VALUES ('old', 'ann', '', '{}', 'tiny', 'f1', 1, 2, 0, 0)`.execute(db);
    await sql`INSERT INTO message VALUES ('old', 0, '"äö"', x'0102030405060708', 0)`.execute(db);
    await sql`INSERT INTO state VALUES ('old', 0, 2, 3, 0, x'010203')`.execute(db);
    await before.close();
    const opened = await openDatabase({ data });
    const owners = opened.db.selectFrom("state").select("owner");
    expect(await owners.execute()).toEqual([{ owner: "ann" }]);
    const { size } = await new SessionStore(opened, defaultQuota).find("ann", "old");
    expect(size).toBe(6 + 8);
    await opened.close();
  });
});

describe("a database elsewhere", () => {
  it("that can't be reached is told", async () => {
    const url = "postgres://nobody@127.0.0.1:1/none";
    await expect(openDatabase({ url })).rejects.toThrow(/cannot open the database.*ECONNREFUSED/);
  });
});

describe.skipIf(!hasPostgres)("PostgreSQL for several servers", () => {
  it("is brought up to date by all at once, and shares sessions and locks", async () => {
    const fresh = await startPostgres();
    const both = await Promise.all([1, 2].map(() => openDatabase({ url: fresh.url })));
    const [one, two] = both as [Database, Database];
    const session = await new SessionStore(one, defaultQuota).create("ann", blank, [said("a")]);
    expect(await new SessionStore(two, defaultQuota).find("ann", session.id)).toEqual(session);
    expect([await one.lock("x"), await two.lock("x")]).toEqual([true, false]);
    // Whoever ends, however, gives its locks back.
    await one.close();
    await expect.poll(() => two.lock("x"), patient).toBe(true);
    await two.close();
    await fresh.stop();
  });

  it("frees locks that were taken while its connection was lost", async () => {
    const fresh = await startPostgres();
    const [one, two, admin] = await Promise.all(
      [1, 2, 3].map(() => openDatabase({ url: fresh.url })),
    );
    const cut = sql`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`;
    for (let round = 0; round < 3; round++) {
      expect(await one!.lock(`first ${round}`)).toBe(true);
      await cut.execute(admin!.db);
      const taken: string[] = [];
      for (let i = 0; i < 30; i++) {
        const name = `${round} ${i}`;
        if (await one!.lock(name).catch(() => false)) taken.push(name);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(taken.length).toBeGreaterThan(0);
      for (const name of taken) {
        await one!.unlock(name);
        await expect.poll(() => two!.lock(name), patient).toBe(true);
        await two!.unlock(name);
      }
      await one!.unlock(`first ${round}`);
    }
    await Promise.all([one, two, admin].map((database) => database!.close()));
    await fresh.stop();
  });
});
