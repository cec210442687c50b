import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generate, ModelStateError, PrefixCache, type CausalLanguageModel } from "../index.ts";
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
});
