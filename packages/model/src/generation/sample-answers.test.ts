import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bestOf,
  generate,
  GenerationOptionsError,
  majorityVote,
  PrefixCache,
  PromptTooLongError,
  sampleAnswers,
  type CausalLanguageModel,
  type CausalModelState,
  type NextTokenModel,
} from "../index.ts";
import { loadModel } from "../node.ts";
import { collect } from "./testing/collect.ts";
import { printableTokenizer as tokenizer } from "./testing/printable-tokenizer.ts";

const directory = join(import.meta.dirname, "../__fixtures__/parity/i_m1_layout");

let model: CausalLanguageModel;
beforeAll(async () => {
  await selectBackend("cpu");
  model = await loadModel(directory);
});
afterAll(() => model.dispose());

describe("sampleAnswers", () => {
  const options = { maxNewTokens: 6, temperature: 1.5, seed: 3 };

  it("draws what each seed draws alone, and reads the prompt once", async () => {
    const before = tf.memory().numTensors;
    const fed: number[] = [];
    const counting: NextTokenModel = {
      config: model.config,
      createState: (batch) => model.createState(batch),
      deserializeState: (bytes) => model.deserializeState(bytes),
      advance: (state, tokens) => {
        fed.push(tokens.ids.flat().length);
        return model.advance(state as CausalModelState, tokens);
      },
    };
    const results = await sampleAnswers(counting, tokenizer, "What is it?", {
      ...options,
      count: 4,
      maxRows: 3,
    });
    expect(results.map(({ usage }) => usage.cachedTokens)).toEqual([0, 11, 11, 11]);
    expect(fed[0]).toBe(11);
    expect(Math.max(...fed.slice(1))).toBeLessThanOrEqual(3);
    for (const [i, { ids }] of results.entries()) {
      const seed = options.seed + i;
      const alone = generate(model, tokenizer, "What is it?", { ...options, seed });
      expect(ids).toEqual((await collect(alone)).result.ids);
    }
    expect(new Set(results.map(({ ids }) => ids.join())).size).toBeGreaterThan(1);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("differs between samples without being told a temperature", async () => {
    const results = await sampleAnswers(model, tokenizer, "abc", { count: 6, maxNewTokens: 8 });
    expect(new Set(results.map(({ ids }) => ids.join())).size).toBeGreaterThan(1);
  });

  it("leaves the state of the prompt in a cache that it is given", async () => {
    const prefixes = new PrefixCache({ maxBytes: 2 ** 24 });
    const sample = () => sampleAnswers(model, tokenizer, "abc", { ...options, count: 1, prefixes });
    expect((await sample())[0]!.usage.cachedTokens).toBe(0);
    expect((await sample())[0]!.usage.cachedTokens).toBe(3);
    prefixes.dispose();
  });

  it("refuses no samples, and prompts beyond the context, and leaves no tensors", async () => {
    const before = tf.memory().numTensors;
    for (const count of [0, 1.5, NaN]) {
      await expect(sampleAnswers(model, tokenizer, "abc", { count })).rejects.toThrow(
        GenerationOptionsError,
      );
    }
    await expect(sampleAnswers(model, tokenizer, "x".repeat(5000), { count: 2 })).rejects.toThrow(
      PromptTooLongError,
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("majorityVote", () => {
  const vote = (...answers: string[]) => majorityVote(answers, (answer) => answer.trim());

  it("takes the most frequent answer, of ties the one seen first", () => {
    expect(vote("7", "42", " 42", "7 ", "42")).toEqual({ winner: "42", votes: 3 });
    expect(vote("7", "42", "42", "7")).toEqual({ winner: "7", votes: 2 });
  });

  it("does not count those that say nothing", () => {
    expect(vote("", "", "5")).toEqual({ winner: "5", votes: 1 });
    expect(vote("", " ")).toBeUndefined();
    expect(vote()).toBeUndefined();
  });
});

describe("bestOf", () => {
  it("takes the highest score, of ties the first, and never NaN", () => {
    expect(bestOf(["a", "ccc", "bb", "ddd"], ({ length }) => length)).toBe("ccc");
    expect(bestOf([-3, NaN, -1], (x) => x)).toBe(-1);
    expect(bestOf([NaN], (x) => x)).toBeUndefined();
    expect(bestOf([], () => 1)).toBeUndefined();
  });
});
