import { setTimeout as sleep } from "node:timers/promises";
import { selectBackend } from "@levin/kernels/node";
import { beforeAll, describe, expect, it } from "vitest";
import { scriptedModel } from "../testing/scripted-model.ts";
import { EngineHost } from "./engine-host.ts";
import { tokensOnTheWay, type EngineReply } from "./engine-message.ts";
import { LocalEngine } from "./local-engine.ts";

beforeAll(() => selectBackend("cpu"));

/** An engine whose model answers by a script, and what it was heard to say. */
function start(script: () => string) {
  const served = scriptedModel(script, { context: 5000 });
  const engine = new LocalEngine(served, { maxBatch: 2, prefixCacheBytes: 2 ** 20 });
  const replies: EngineReply[] = [];
  const host = new EngineHost(engine, (reply) => void replies.push(reply));
  const promptIds = served.tokenizer.encode("go");
  const generate = () =>
    host.handle({ kind: "generate", call: 1, promptIds, settings: {}, tellsPrefill: false });
  const tokens = () => replies.filter(({ kind }) => kind === "token").length;
  return { engine, host, replies, generate, tokens };
}

describe("an engine asked from another thread", () => {
  it("waits for a reader that rests, and sends what it has read so far and no more", async () => {
    const { host, generate, tokens, replies } = start(() => "one two ".repeat(500));
    const ended = generate();
    for (const read of [0, 5, 1]) {
      host.handle({ kind: "read", call: 1, tokens: read }).catch(() => {});
      const before = tokens();
      await expect
        .poll(tokens, { timeout: 20_000 })
        .toBe(before === 0 ? tokensOnTheWay : before + read);
      await sleep(20);
      expect(tokens()).toBe(before === 0 ? tokensOnTheWay : before + read);
    }
    await host.handle({ kind: "abort", call: 1 });
    await ended;
    expect(replies.at(-1)).toMatchObject({ kind: "result", result: { finishReason: "abort" } });
  });

  it("is no longer ready after a trap in wasm, and says so to those who come", async () => {
    const { engine, generate, replies } = start(() => {
      throw new WebAssembly.RuntimeError("unreachable");
    });
    await generate();
    expect(replies).toMatchObject([{ kind: "error", error: { name: "RuntimeError" } }]);
    expect(engine.isReady).toBe(false);
    await generate();
    expect(replies[1]).toMatchObject({
      kind: "error",
      error: { name: "ApiError", fields: { status: 503, code: "model_lost" } },
    });
  });
});
