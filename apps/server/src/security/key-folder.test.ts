import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { givenKey } from "./api-key.ts";
import { KeyFolder } from "./key-folder.ts";
import { KeyRing } from "./key-ring.ts";
import { UsageBook } from "./key-usage.ts";

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "levin-keys-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return join(path, "keys");
}

it("keeps of a key only its hash, in files of its owner alone", () => {
  const path = directory();
  const { key, stored } = new KeyFolder(path).add("alice", { requestsPerMinute: 3 });
  expect(key).toMatch(/^levin-[\w-]{43}$/);
  const [name] = readdirSync(path);
  const text = readFileSync(join(path, name!), "utf8");
  expect(text).not.toContain(key.slice(6));
  expect(JSON.parse(text)).toEqual(stored);
  expect(stored).toMatchObject({ name: "alice", limits: { requestsPerMinute: 3 } });
  if (process.platform === "win32") return;
  expect(statSync(join(path, name!)).mode & 0o777).toBe(0o600);
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

it("is noticed by a server that runs when it is added and when it is revoked", () => {
  const path = directory();
  const ring = new KeyRing(new KeyFolder(path));
  expect(ring.isLocked).toBe(false);
  const elsewhere = new KeyFolder(path);
  const { key, stored } = elsewhere.add("alice");
  expect(ring.isLocked).toBe(true);
  expect(ring.find(key)).toEqual(stored);
  expect(ring.find(`${key}x`)).toBeUndefined();
  elsewhere.revoke("alice");
  expect(ring.find(key)).toBeUndefined();
  // Losing its last key must not open the server.
  expect(ring.isLocked).toBe(true);
});

it("is revoked by id or name, once, and its name may be used again", () => {
  const keys = new KeyFolder(directory());
  const first = keys.add("alice");
  expect(() => keys.add("alice")).toThrow(/"alice" already/);
  keys.revoke(first.stored.id);
  expect(() => keys.revoke("alice")).toThrow('there is no valid key "alice"');
  const second = keys.add("alice");
  expect(keys.list().map(({ id, revoked }) => [id, revoked !== undefined])).toEqual([
    [first.stored.id, true],
    [second.stored.id, false],
  ]);
});

it("names a file that is none of a key", () => {
  const path = directory();
  const keys = new KeyFolder(path);
  keys.add("alice");
  writeFileSync(join(path, "notes.json"), "{}");
  expect(() => keys.list()).toThrow(/notes\.json is no API key/);
});

it("may be one that the owner chose, if nobody can guess it", () => {
  const given = givenKey("correct horse battery staple", "LEVIN_API_KEY");
  const ring = new KeyRing(undefined, [given]);
  expect(ring.isLocked).toBe(true);
  expect(ring.find("correct horse battery staple")?.name).toBe("LEVIN_API_KEY");
  expect(() => givenKey("secret", "LEVIN_API_KEY")).toThrow(/at least 16 characters, found 6/);
});

it("counts what servers with one folder use, by day and in all", () => {
  const path = directory();
  const [one, two] = [new UsageBook(path), new UsageBook(path)];
  const [monday, tuesday] = [new Date("2026-11-23T23:59:00Z"), new Date("2026-11-24T00:00:00Z")];
  one.add("key-1", { requests: 1, promptTokens: 5, completionTokens: 7 }, monday);
  two.add("key-1", { requests: 2, promptTokens: 1 }, monday);
  one.flush(monday);
  two.flush(monday);
  one.add("key-1", { completionTokens: 4 }, tuesday);
  one.flush(tuesday);
  one.flush(tuesday);
  const used = new UsageBook(path).of("key-1", tuesday);
  expect(used).toEqual({
    total: { requests: 3, promptTokens: 6, completionTokens: 11 },
    day: "2026-11-24",
    today: { requests: 0, promptTokens: 0, completionTokens: 4 },
  });
});
