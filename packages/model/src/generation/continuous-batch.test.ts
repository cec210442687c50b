import { join } from "node:path";
import { OutOfMemoryError, selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  CausalModelState,
  ContinuousBatch,
  generate,
  GenerationOptionsError,
  LogitsError,
  PrefixCache,
  PromptTooLongError,
  TokenBatchError,
  type CausalLanguageModel,
  type GenerationOptions,
  type NextTokenModel,
  type TokenBatch,
} from "../index.ts";
import { loadModel } from "../node.ts";
import { nextTask } from "./next-task.ts";
import { collect } from "./testing/collect.ts";
import { printableTokenizer as tokenizer } from "./testing/printable-tokenizer.ts";

const fixtures = join(import.meta.dirname, "../__fixtures__/parity");

let hybrid: CausalLanguageModel;
let lightning: CausalLanguageModel;
let tensors: number;
beforeAll(async () => {
  await selectBackend("wasm");
  hybrid = await loadModel(join(fixtures, "d_7to1_8layers"));
  lightning = await loadModel(join(fixtures, "b_all_lightning"));
});
afterAll(() => [hybrid, lightning].forEach((model) => model.dispose()));
beforeEach(() => (tensors = tf.memory().numTensors));
afterEach(expectFreed);

function expectFreed(): void {
  expect(tf.memory().numTensors).toBe(tensors);
}

/** The hybrid model, with a look at all that is fed to it. */
function watched(watch: (tokens: TokenBatch) => void): NextTokenModel {
  return {
    config: hybrid.config,
    createState: (batch) => hybrid.createState(batch),
    deserializeState: (bytes) => hybrid.deserializeState(bytes),
    advance: (state, tokens) => {
      watch(tokens);
      return hybrid.advance(state as CausalModelState, tokens);
    },
  };
}

const promptOf = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, i) => (seed + 7 * i * i) % 60);

const tasks = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await nextTask();
};

const sequences = fc.array(
  fc.record({
    prompt: fc
      .tuple(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 59 }))
      .map(([length, seed]) => promptOf(length, seed)),
    options: fc.record({
      maxNewTokens: fc.nat({ max: 14 }),
      temperature: fc.constantFrom(0, 1),
      seed: fc.nat({ max: 999 }),
      prefillChunk: fc.integer({ min: 1, max: 50 }),
    }),
    /** When it arrives, how long it takes over each token, and after how many it goes. */
    arrival: fc.nat({ max: 30 }),
    pause: fc.constantFrom(0, 0, 0, 1, 4),
    patience: fc.constantFrom(Infinity, Infinity, 0, 3),
  }),
  { minLength: 1, maxLength: 8 },
);
const batchOptions = fc.record({
  maxRows: fc.integer({ min: 1, max: 6 }),
  prefillTokens: fc.integer({ min: 1, max: 60 }),
  readAhead: fc.integer({ min: 1, max: 4 }),
});

describe("ContinuousBatch", () => {
  it.each(["hybrid", "lightning"])(
    "gives every sequence of a %s model what it gets alone, in any order of arrival",
    (kind) =>
      fc.assert(
        fc.asyncProperty(sequences, batchOptions, async (all, options) => {
          const model = kind === "hybrid" ? hybrid : lightning;
          const batch = new ContinuousBatch(model, tokenizer, options);
          const read = all.map(async ({ prompt, options: own, arrival, pause, patience }) => {
            await tasks(arrival);
            const ids: number[] = [];
            for await (const { id } of batch.add(prompt, own)) {
              ids.push(id);
              if (ids.length > patience) break;
              await tasks(pause);
            }
            return ids;
          });
          const found = await Promise.all(read);
          expect(tf.memory().numTensors).toBe(tensors);
          for (const [i, { prompt, options: own, patience }] of all.entries()) {
            const { result } = await collect(generate(model, tokenizer, prompt, own));
            expect(found[i]).toEqual(result.ids.slice(0, patience + 1));
          }
        }),
        // A fixed seed: between two nearly equal logits a rounding error would decide.
        { numRuns: 15, seed: 7 },
      ),
  );

  it("moves all sequences on in one step, and lets them in as others leave", async () => {
    const sizes: number[] = [];
    const model = watched(({ ids }) => {
      if (ids[0]!.length === 1) sizes.push(ids.length);
    });
    const batch = new ContinuousBatch(model, tokenizer, { maxRows: 4, prefillTokens: 100 });
    const streams = Array.from({ length: 8 }, (_, i) =>
      collect(batch.add(promptOf(5 + i, i), { maxNewTokens: 20 })),
    );
    await Promise.all(streams);
    expect(Math.max(...sizes)).toBe(4);
    // 8 × 19 tokens after each first one; alone they would take that many steps.
    expect(sizes.reduce((sum, size) => sum + size)).toBe(8 * 19);
    expect(sizes.length).toBeLessThan(2 * 19 + 10);
  });

  it("reads prompts in chunks between the steps of others", async () => {
    const feeds: number[] = [];
    const model = watched(({ ids }) => feeds.push(ids[0]!.length));
    const batch = new ContinuousBatch(model, tokenizer, { prefillTokens: 8 });
    const first = collect(batch.add(promptOf(3, 0), { maxNewTokens: 30 }));
    const second = collect(batch.add(promptOf(80, 1), { maxNewTokens: 1, prefillChunk: 8 }));
    await Promise.all([first, second]);
    const chunks = feeds.flatMap((size, at) => (size === 8 ? [at] : []));
    expect(chunks).toHaveLength(10);
    expect(chunks.slice(1).every((at, i) => at === chunks[i]! + 2)).toBe(true);
  });

  it("has budgets, stop strings and log-probabilities like generate", async () => {
    const requests: [string, GenerationOptions][] = [
      ["abc<think>", { maxNewTokens: 24, thinkingBudget: 3, temperature: 1, seed: 2 }],
      ["abc", { maxNewTokens: 30, stop: ["never", "e"], temperature: 3, seed: 5 }],
      ["Once", { maxNewTokens: 12, logprobs: 3, repetitionPenalty: 1.3 }],
      ["def", { maxNewTokens: 30, truncateRepetition: { window: 4, probability: 1e-9 } }],
    ];
    const batch = new ContinuousBatch(hybrid, tokenizer);
    const together = await Promise.all(
      requests.map(([prompt, options]) => collect(batch.add(prompt, options))),
    );
    for (const [i, [prompt, options]] of requests.entries()) {
      const { events, result } = await collect(generate(hybrid, tokenizer, prompt, options));
      expect(together[i]!.result).toEqual(result);
      together[i]!.events.forEach(({ logprob, topLogprobs, ...event }, t) => {
        expect(events[t]).toMatchObject(event);
        expect(topLogprobs?.length).toBe(events[t]!.topLogprobs?.length);
        if (logprob !== undefined) expect(logprob).toBeCloseTo(events[t]!.logprob!, 4);
      });
    }
  });

  it("reads a prompt once for all that have it", async () => {
    const prefixes = new PrefixCache({ maxBytes: 2 ** 24 });
    const batch = new ContinuousBatch(hybrid, tokenizer);
    const options = { maxNewTokens: 6, temperature: 1, prefixes };
    const results = await Promise.all(
      [1, 2, 3].map((seed) => collect(batch.add("Once upon a time", { ...options, seed }))),
    );
    expect(results.map(({ result }) => result.usage.cachedTokens)).toEqual([0, 16, 16]);
    const alone = generate(hybrid, tokenizer, "Once upon a time", { ...options, seed: 3 });
    expect(results[2]!.result.ids).toEqual((await collect(alone)).result.ids);
    prefixes.dispose();
  });

  it("lets sequences wait in the order they came, and go while they wait", async () => {
    const batch = new ContinuousBatch(hybrid, tokenizer, { maxRows: 1 });
    const order: number[] = [];
    const gone = new AbortController();
    const answers = [0, 1, 2, 3].map(async (i) => {
      const signal = i === 2 ? gone.signal : undefined;
      const stream = batch.add("abc", { maxNewTokens: 5, signal });
      const { result } = await collect(stream);
      order.push(i);
      return result.finishReason;
    });
    await expect.poll(() => batch.waiting).toBe(3);
    gone.abort();
    expect(await Promise.all(answers)).toEqual(["length", "length", "abort", "length"]);
    expect(order).toEqual([2, 0, 1, 3]);
    expect(batch.waiting).toBe(0);
  });

  it("runs ahead of a reader only so far, and goes on with the others", async () => {
    const fed: number[] = [];
    const model = watched(({ ids }) => fed.push(...ids.map((row) => row[0]!)));
    const batch = new ContinuousBatch(model, tokenizer, { readAhead: 4 });
    const slow = batch.add("abc", { maxNewTokens: 40 });
    await slow.next();
    // The prompt and three tokens: the first of the four that came is read, the others are not.
    await expect.poll(() => fed.length).toBe(4);
    await tasks(20);
    expect(fed).toHaveLength(4);
    const quick = await collect(batch.add("def", { maxNewTokens: 30 }));
    expect(quick.result.ids).toHaveLength(30);
    const rest = await collect(slow);
    expect(rest.events).toHaveLength(39);
    const alone = await collect(generate(hybrid, tokenizer, "abc", { maxNewTokens: 40 }));
    expect(rest.result.ids).toEqual(alone.result.ids);
  });

  it("frees the row of a reader that leaves, also before its first token", async () => {
    const batch = new ContinuousBatch(hybrid, tokenizer, { maxRows: 1 });
    for await (const _ of batch.add("abc", { maxNewTokens: 500 })) break;
    expect(tf.memory().numTensors).toBe(tensors);
    await batch.add("never begun").return(undefined as never);
    const holds = batch.add("abc", { maxNewTokens: 500 });
    await holds.next();
    const waits = batch.add("def");
    const first = waits.next();
    await expect.poll(() => batch.waiting).toBe(1);
    await holds.return(undefined as never);
    expect((await first).done).toBe(false);
    await waits.return(undefined as never);
  });

  it("ends with an error only whose error it is", async () => {
    const model = watched(({ ids }) => {
      if (ids[0]!.length === 7) throw new OutOfMemoryError("no memory for this prompt");
    });
    const nan: NextTokenModel = {
      ...model,
      advance: (state, tokens) =>
        tokens.ids[0]!.length === 6
          ? tf.tidy(() => tf.mul(model.advance(state, tokens), NaN))
          : model.advance(state, tokens),
    };
    const batch = new ContinuousBatch(nan, tokenizer);
    const stray = { ...tokenizer, encode: () => [1000] };
    const strange = new ContinuousBatch(nan, stray);
    const failing = [
      [batch.add("abc", { topP: 2 }), GenerationOptionsError],
      [batch.add("x".repeat(5000)), PromptTooLongError],
      [batch.add(""), TokenBatchError],
      [batch.add([1, 2, 96]), TokenBatchError],
      [batch.add("1234567"), OutOfMemoryError],
      [batch.add("123456"), LogitsError],
      [strange.add([1, 94], { thinkingBudget: 2 }), TokenBatchError],
    ] as const;
    const good = ["abc", "defgh"].map((prompt) => collect(batch.add(prompt, { maxNewTokens: 20 })));
    await Promise.all(
      failing.map(([stream, error]) => expect(collect(stream)).rejects.toThrow(error)),
    );
    for (const [i, prompt] of ["abc", "defgh"].entries()) {
      const alone = await collect(generate(hybrid, tokenizer, prompt, { maxNewTokens: 20 }));
      expect((await good[i])!.result.ids).toEqual(alone.result.ids);
    }
    expect(() => new ContinuousBatch(hybrid, tokenizer, { maxRows: 0 })).toThrow(
      GenerationOptionsError,
    );
  });

  it("goes on without a sequence that there is no memory for, and anew after a failed step", async () => {
    const batch = new ContinuousBatch(
      watched((tokens) => {
        if (tokens.ids.length === 3) throw new OutOfMemoryError("a step of three");
      }),
      tokenizer,
    );
    const first = collect(batch.add("abc", { maxNewTokens: 60 }));
    await tasks(8);
    const regroup = vi.spyOn(CausalModelState.prototype, "regroup").mockImplementationOnce(() => {
      throw new OutOfMemoryError("no memory for another row");
    });
    await expect(collect(batch.add("def", { maxNewTokens: 9 }))).rejects.toThrow(OutOfMemoryError);
    expect(regroup).toHaveBeenCalledTimes(1);
    regroup.mockRestore();
    expect((await first).result.ids).toHaveLength(60);
    const three = ["a", "b", "c"].map((prompt) => collect(batch.add(prompt, { maxNewTokens: 9 })));
    const ends = await Promise.allSettled(three);
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(tf.memory().numTensors).toBe(tensors);
    const after = await collect(batch.add("abc", { maxNewTokens: 3 }));
    expect(after.result.ids).toHaveLength(3);
  });
});
