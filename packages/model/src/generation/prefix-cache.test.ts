import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ContinuousBatch,
  generate,
  ModelStateError,
  PrefixCache,
  type CausalLanguageModel,
} from "../index.ts";
import { loadModel } from "../node.ts";
import { collect } from "./testing/collect.ts";
import { printableTokenizer as tokenizer } from "./testing/printable-tokenizer.ts";

const fixtures = join(import.meta.dirname, "../__fixtures__/parity");
const prompt = [5, 6, 7, 8, 9];
const next = [...prompt, 10, 11];

let model: CausalLanguageModel;
let other: CausalLanguageModel;
beforeAll(async () => {
  await selectBackend("wasm");
  model = await loadModel(join(fixtures, "d_7to1_8layers"));
  other = await loadModel(join(fixtures, "b_all_lightning"));
});
afterAll(() => [model, other].forEach((each) => each.dispose()));

const run = async (ids: readonly number[], prefixes?: PrefixCache) =>
  (await collect(generate(model, tokenizer, ids, { maxNewTokens: 8, prefixes }))).result;

describe("a state saved from a prefix cache", () => {
  it("goes on in another cache as it would have in its own, also without a new token", async () => {
    const [from, to] = [new PrefixCache(), new PrefixCache()];
    await run(prompt, from);
    to.restore(prompt, from.save(prompt)!, model);
    for (const ids of [next, prompt]) {
      const result = await run(ids, to);
      expect(result.usage.cachedTokens).toBe(prompt.length);
      expect(result.ids).toEqual((await run(ids)).ids);
    }
    for (const cache of [from, to]) cache.dispose();
  });

  it("is that of exactly these tokens", async () => {
    const prefixes = new PrefixCache();
    await run(prompt, prefixes);
    expect(prefixes.save(prompt.slice(0, 4))).toBeUndefined();
    expect(prefixes.save(next)).toBeUndefined();
    prefixes.dispose();
  });

  it("is refused when it is broken, of other tokens or another model, and leaves nothing", async () => {
    const prefixes = new PrefixCache();
    await run(prompt, prefixes);
    const bytes = prefixes.save(prompt)!;
    prefixes.dispose();
    const before = tf.memory().numTensors;
    const refused = [
      () => prefixes.restore(next, bytes, model),
      () => prefixes.restore(prompt, bytes, other),
      ...[0, 3, 9, 400, bytes.byteLength - 1].map(
        (end) => () => prefixes.restore(prompt, bytes.subarray(0, end), model),
      ),
    ];
    for (const restore of refused) expect(restore).toThrow(ModelStateError);
    expect(tf.memory().numTensors).toBe(before);
    expect(prefixes.byteLength).toBe(0);
  });

  it("takes no more memory when it is known, and none when it is too large", async () => {
    const prefixes = new PrefixCache();
    await run(prompt, prefixes);
    const { byteLength } = prefixes;
    const bytes = prefixes.save(prompt)!;
    prefixes.restore(prompt, bytes, model);
    expect(prefixes.byteLength).toBe(byteLength);
    prefixes.dispose();
    const before = tf.memory().numTensors;
    const small = new PrefixCache({ maxBytes: byteLength - 1 });
    small.restore(prompt, bytes, model);
    expect(small.byteLength).toBe(0);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("is found under its salt alone", async () => {
    const prefixes = new PrefixCache();
    const cached = async (prefixSalt?: string) => {
      const options = { maxNewTokens: 1, prefixes, ...(prefixSalt && { prefixSalt }) };
      const { result } = await collect(generate(model, tokenizer, next, options));
      return result.usage.cachedTokens;
    };
    await run(prompt, prefixes);
    const bytes = prefixes.save(prompt)!;
    prefixes.dispose();
    prefixes.restore(prompt, bytes, model, "a");
    expect(prefixes.save(prompt)).toBeUndefined();
    expect(prefixes.save(prompt, "a")).toEqual(bytes);
    expect(["a", "b", undefined].map((salt) => prefixes.has(prompt, salt))).toEqual([
      true,
      false,
      false,
    ]);
    expect([await cached("a"), await cached("b")]).toEqual([prompt.length, 0]);
    // What was read on from it stays under its salt too; without a salt it serves all.
    expect([await cached(), await cached("c")]).toEqual([0, next.length]);
    expect([prefixes.has(next, "c"), prefixes.has([...next, 12])]).toEqual([true, false]);
    prefixes.dispose();
  });
});

describe("the state after an answer", () => {
  const options = { maxNewTokens: 8, keepAnswer: true };
  const one = (ids: readonly number[], prefixes: PrefixCache) =>
    generate(model, tokenizer, ids, { ...options, prefixes });

  it.each([
    ["alone", one],
    [
      "in a batch",
      (ids: readonly number[], prefixes: PrefixCache) =>
        new ContinuousBatch(model, tokenizer).add(ids, { ...options, prefixes }),
    ],
  ] as const)("is kept when asked for, %s, up to its last token", async (_, start) => {
    const prefixes = new PrefixCache();
    const tensors = tf.memory().numTensors;
    const { result } = await collect(start(prompt, prefixes));
    const fed = [...prompt, ...result.ids.slice(0, -1)];
    const bytes = prefixes.save(fed)!;
    const turn = [...prompt, ...result.ids, 20, 21];
    const { result: onward } = await collect(one(turn, prefixes));
    expect(onward.usage.cachedTokens).toBe(fed.length);
    expect(onward.ids).toEqual((await run(turn)).ids);
    prefixes.dispose();
    prefixes.restore(fed, bytes, model);
    expect((await collect(one(turn, prefixes))).result.ids).toEqual(onward.ids);
    prefixes.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("is each row's own where several are in a step", async () => {
    const prefixes = new PrefixCache();
    const batch = new ContinuousBatch(model, tokenizer);
    const prompts = [prompt, [40, 41], [50, 51, 52]];
    const answers = await Promise.all(
      prompts.map((ids, i) =>
        collect(batch.add(ids, { ...options, maxNewTokens: 8 + 3 * i, prefixes })),
      ),
    );
    for (const [i, { result }] of answers.entries()) {
      const turn = [...prompts[i]!, ...result.ids, 20];
      const { result: onward } = await collect(one(turn, prefixes));
      expect(onward.usage.cachedTokens).toBe(turn.length - 2);
      expect(onward.ids).toEqual((await run(turn)).ids);
    }
    prefixes.dispose();
  });
});
