import { fileURLToPath } from "node:url";
import { BackendUnavailableError } from "@levin/kernels/node";
import {
  GenerationOptionsError,
  ModelStateError,
  PromptTooLongError,
  TokenBatchError,
  type GenerationResult,
  type PrefillProgress,
  type TokenEvent,
} from "@levin/model";
import { sparkDirectory } from "@levin/spark";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ApiError } from "../api/api-error.ts";
import { streamSteps } from "../api/stream-steps.ts";
import { loadServedModel, readServedModel } from "../load-served-model.ts";
import type { ServedModel } from "../served-model.ts";
import type { Engine, GenerationSettings } from "./engine.ts";
import { LocalEngine } from "./local-engine.ts";
import { WorkerEngine } from "./worker-engine.ts";

const limits = { maxBatch: 4, prefixCacheBytes: 2 ** 26 };
const logged: string[] = [];
const log = (_: object, message: string) => void logged.push(message);
const logger = { error: log, info: (message: string) => void logged.push(message) } as never;

let served: ServedModel;
let engine: WorkerEngine;
let local: LocalEngine;
let prompt: number[];
beforeAll(async () => {
  served = await readServedModel();
  prompt = served.tokenizer.encode("What is 12 plus 30?");
  engine = await WorkerEngine.start({ load: {}, limits, logger, restartDelay: 1 });
  local = new LocalEngine(await loadServedModel(), limits);
});
afterAll(() => Promise.all([engine?.close(), local?.close()]));

const open = new AbortController().signal;
/** Far from the end of an answer, whatever the model says. */
const long: GenerationSettings = { maxNewTokens: 4000, temperature: 5, seed: 1 };

async function collect(
  asked: Engine,
  settings: GenerationSettings,
  {
    signal = open,
    ids = prompt,
    onToken = undefined as ((count: number) => unknown) | undefined,
  } = {},
): Promise<{ events: TokenEvent[]; result: GenerationResult }> {
  const events: TokenEvent[] = [];
  for await (const step of streamSteps(asked.generate(ids, settings, signal))) {
    if (step.result !== undefined) return { events, result: step.result };
    events.push(step.item);
    onToken?.(events.length);
  }
  throw new Error("expected a result, found none");
}

describe("a model in a thread of its own", () => {
  it.each<GenerationSettings>([
    { maxNewTokens: 60, logprobs: 2 },
    { maxNewTokens: 60, temperature: 1, seed: 7, thinkingBudget: 5, stop: ["4"] },
  ])("gives the tokens and the result that it gives in this one: %j", async (settings) => {
    const [here, there] = [await collect(local, settings), await collect(engine, settings)];
    expect(there.events).toEqual(here.events);
    expect(there.result).toEqual(here.result);
  });

  it("tells how far a prompt is read, as it does in this one", async () => {
    const ids = served.tokenizer.encode("How far is it read? ".repeat(80));
    const told = async (asked: Engine): Promise<PrefillProgress[]> => {
      const progress: PrefillProgress[] = [];
      const onPrefill = (report: PrefillProgress) => void progress.push(report);
      for await (const step of streamSteps(
        asked.generate(ids, { maxNewTokens: 2 }, open, onPrefill),
      )) {
        if (step.result === undefined) expect(progress.at(-1)?.processed).toBe(ids.length);
      }
      return progress;
    };
    const [here, there] = [await told(local), await told(engine)];
    expect(here.map(({ processed }) => processed)).toEqual([0, 512, ids.length]);
    expect(there).toEqual(here);
  });

  it("embeds as here", async () => {
    const texts = [prompt, prompt.slice(0, 3)];
    expect(await engine.embed(texts)).toEqual(await local.embed(texts));
  });

  it("gives a state away and takes it back: only what is new is read", async () => {
    const ids = served.tokenizer.encode("A state that travels");
    expect(await engine.saveState(ids)).toBeUndefined();
    await collect(local, { maxNewTokens: 1 }, { ids });
    await engine.restoreState(ids, (await local.saveState(ids))!);
    expect(await engine.saveState(ids)).toEqual(await local.saveState(ids));
    const next = { ids: [...ids, ...prompt] };
    const { usage, ids: said } = (await collect(engine, { maxNewTokens: 20 }, next)).result;
    expect(usage.cachedTokens).toBe(ids.length);
    expect(said).toEqual((await collect(local, { maxNewTokens: 20 }, next)).result.ids);
    expect((await engine.stats()).prefixCacheBytes).toBeGreaterThan(0);
  });

  it("ends an answer when its signal aborts", async () => {
    const controller = new AbortController();
    const onToken = (count: number) => count === 5 && controller.abort();
    const { result } = await collect(engine, long, { signal: controller.signal, onToken });
    expect(result.finishReason).toBe("abort");
    expect(result.usage.completionTokens).toBeLessThan(500);
  });

  it("goes on when a reader that rested reads on, and ends when it leaves", async () => {
    const before = (await engine.stats()).tensors;
    const some = { ...long, maxNewTokens: 300 };
    const events = engine.generate(prompt, some, open);
    await events.next();
    await collect(engine, { maxNewTokens: 100, temperature: 5, seed: 2 });
    let count = 1;
    while (!(await events.next()).done) count += 1;
    expect(count).toBe((await collect(local, some)).events.length);
    const left = engine.generate(prompt, long, open);
    await left.next();
    await left.return(undefined as never);
    await expect.poll(async () => (await engine.stats()).tensors, { timeout: 50_000 }).toBe(before);
  });

  it("refuses with the same types of errors as here", async () => {
    const wrong: [Promise<unknown>, unknown][] = [
      [collect(engine, { topP: 2 }), GenerationOptionsError],
      [collect(engine, {}, { ids: [] }), TokenBatchError],
      [engine.embed([[]]), TokenBatchError],
      [engine.restoreState(prompt, new Uint8Array(9)), ModelStateError],
    ];
    for (const [failing, type] of wrong) await expect(failing).rejects.toBeInstanceOf(type);
    const limit = served.model.config.maxPositionEmbeddings;
    const tooLong = collect(engine, {}, { ids: Array<number>(limit).fill(7) });
    await expect(tooLong).rejects.toBeInstanceOf(PromptTooLongError);
    await expect(tooLong).rejects.toMatchObject({ limit, found: limit });
  });

  it("refuses calls until it is loaded", async () => {
    const loading = new WorkerEngine({ load: {}, limits });
    expect(loading.isReady).toBe(false);
    await expect(loading.stats()).rejects.toMatchObject({ status: 503, code: "model_loading" });
    await loading.loaded;
    expect(loading.isReady).toBe(true);
    await loading.close();
    const closed = new WorkerEngine({ load: {}, limits });
    await closed.close();
    await expect(closed.loaded).rejects.toThrow(/closed while/);
  });

  it("says why it can't be loaded", async () => {
    const start = (load: object) => WorkerEngine.start({ load, limits });
    await expect(start({ backend: "abacus" })).rejects.toBeInstanceOf(BackendUnavailableError);
    const model = fileURLToPath(new URL("nowhere/", sparkDirectory));
    await expect(start({ model })).rejects.toThrow(/nowhere/);
  });

  it("when the thread ends, all its calls fail with a 503, and the next ones are answered", async () => {
    const { worker } = engine.thread;
    const calls = [1, 2].map((seed) =>
      collect(
        engine,
        { ...long, seed },
        { onToken: (count) => count === 3 && void worker.terminate() },
      ),
    );
    for (const call of calls) {
      await expect(call).rejects.toBeInstanceOf(ApiError);
      await expect(call).rejects.toMatchObject({ status: 503, code: "model_lost" });
    }
    expect(engine.isReady).toBe(false);
    await expect(engine.stats()).rejects.toMatchObject({ status: 503, code: "model_loading" });
    expect(logged).toContain("the model's thread ended; it is started again");
    await expect.poll(() => engine.isReady, { timeout: 50_000 }).toBe(true);
    expect((await collect(engine, { maxNewTokens: 5 })).events).toHaveLength(5);
  });
});

it("of a model whose layers are in stages, generates but does not embed", async () => {
  const staged = await WorkerEngine.start({ load: { stages: 2 }, limits });
  const settings = { maxNewTokens: 5 };
  expect((await collect(staged, settings)).events).toHaveLength(5);
  await expect(staged.embed([prompt])).rejects.toMatchObject({ status: 501, code: "unsupported" });
  await staged.close();
});
