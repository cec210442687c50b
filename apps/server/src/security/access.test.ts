import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ListenError } from "../listen-error.ts";
import { openAccess, usageOf } from "./access.ts";
import { runKeysCommand } from "./keys-command.ts";

let keys: string;
beforeEach(() => {
  keys = join(mkdtempSync(join(tmpdir(), "levin-keys-")), "keys");
  vi.stubEnv("LEVIN_API_KEY", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(join(keys, ".."), { recursive: true });
});
const run = (...args: string[]): string => runKeysCommand([...args, "--keys", keys]);

describe("an address to listen on", () => {
  it.each(["127.0.0.1", "127.8.9.1", "::1", "localhost"])(
    "may be %s without a key, which only this machine reaches",
    (host) => expect(openAccess(host, { keys }).keys!.isLocked).toBe(false),
  );

  it.each(["0.0.0.0", "::", "192.168.1.7", "::ffff:10.0.0.1", "levin.example", "", "127.1"])(
    "may be %j only with a key, or when told so",
    (host) => {
      expect(() => openAccess(host, { keys })).toThrow(ListenError);
      expect(() => openAccess(host, { keys })).toThrow(
        /levin keys add NAME.*LEVIN_API_KEY.*--insecure/,
      );
      expect(openAccess(host, { keys, insecure: true }).keys!.isLocked).toBe(false);
      vi.stubEnv("LEVIN_API_KEY", "a long enough secret");
      expect(openAccess(host, { keys }).keys!.find("a long enough secret")).toBeDefined();
      vi.stubEnv("LEVIN_API_KEY", undefined);
      run("add", "alice");
      expect(openAccess(host, { keys }).keys!.isLocked).toBe(true);
      run("revoke", "alice");
      expect(() => openAccess(host, { keys })).toThrow(ListenError);
    },
  );

  it("is refused with a key in the environment that can be guessed", () => {
    vi.stubEnv("LEVIN_API_KEY", "secret");
    expect(() => openAccess("0.0.0.0", { keys })).toThrow(/LEVIN_API_KEY: expected at least 16/);
  });
});

describe("keys", () => {
  it("are added with limits, shown once, listed and revoked", () => {
    const shown = run("add", "alice", "--requests-per-minute", "60", "--tokens-per-day", "1000000");
    const [key] = shown.split("\n");
    expect(openAccess("::", { keys }).keys!.find(key!)?.limits).toEqual({
      requestsPerMinute: 60,
      tokensPerDay: 1_000_000,
    });
    const list = run("list");
    expect(list).toMatch(/^id +name +created +revoked +requests\/min/);
    expect(list).toMatch(/key-[0-9a-f]{12} +alice +20\d\d-\d\d-\d\d +- +60 +- +1,000,000 +-$/m);
    expect(list + run("list", "--json")).not.toContain(key!.slice(6));
    expect(run("list", "--json")).not.toContain("hash");
    expect(run("revoke", "alice")).toMatch(/^alice \(key-\w+\) is revoked$/);
    expect(run("list")).toMatch(/alice +20\d\d-\d\d-\d\d +20\d\d-\d\d-\d\d/);
  });

  it("tell what they used", () => {
    run("add", "alice");
    run("add", "bob");
    const listed = JSON.parse(run("list", "--json")) as { id: string; name: string }[];
    const { id } = listed.find(({ name }) => name === "alice")!;
    const book = usageOf(keys);
    book.add(id, { requests: 2, promptTokens: 30, completionTokens: 400 });
    book.flush();
    expect(run("usage")).toMatch(/alice +2 +30 +400 +2 +430$/m);
    expect(run("usage")).toMatch(/bob +0 +0 +0 +0 +0$/m);
    expect(JSON.parse(run("usage", "alice", "--json"))).toMatchObject([
      { name: "alice", total: { requests: 2, promptTokens: 30, completionTokens: 400 } },
    ]);
  });

  it("say what is wrong with a command", () => {
    expect(run("list")).toMatch(/there are no keys/);
    expect(() => run("usage", "carol")).toThrow('there is no key "carol"');
    expect(() => run("add")).toThrow(/keys add NAME/);
    expect(() => run("add", "a", "b")).toThrow(/keys add NAME/);
    expect(() => run("drop", "a")).toThrow(/keys add NAME/);
    expect(() => run("add", "a", "--tokens-per-day", "-1")).toThrow(/tokens-per-day/);
    expect(() => run("add", "a", "--tokens-per-day", "1e9")).toThrow(/found "1e9"/);
    expect(run("--help")).toMatch(/^keys add NAME/);
  });
});
