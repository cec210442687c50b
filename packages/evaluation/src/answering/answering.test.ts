import { selectBackend } from "@levin/kernels/node";
import { tokenCrossEntropy, ignoredLabel, type CausalLanguageModel } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeLetters, tinyModel } from "../__fixtures__/tiny-model.ts";
import type { Item } from "../data/item.ts";
import type { Suite } from "../suites/benchmark-task.ts";
import { glue } from "../suites/glue.ts";
import { superglue } from "../suites/superglue.ts";
import { generationAnswerer, readReply } from "./answer-by-generation.ts";
import { LikelihoodAnswerer } from "./answer-by-likelihood.ts";
import { optionsOf, promptOf, shotsText } from "./prompt.ts";

const task = (suite: Suite, name: string) => suite.tasks.find((each) => each.name === name)!;
const pair = (id: string, first: string, second: string, label: number): Item => ({
  ...{ id, label, fields: { first, second } },
});
const copa: Item = {
  ...{ id: "0", label: 1, choices: ["It shone.", "It fell."] },
  fields: { premise: "The cup broke", connective: "because" },
};

describe("prompts", () => {
  it("put examples with their answers before an item", () => {
    const rte = task(glue, "rte");
    expect(
      shotsText(rte, [pair("0", "A.", "B.", 1)]) + promptOf(rte, pair("1", "C.", "D.", 0)),
    ).toBe(
      "A.\nB.\nDoes the first text imply the second? yes or no?\nAnswer: no\n\n" +
        "C.\nD.\nDoes the first text imply the second? yes or no?\nAnswer:",
    );
    expect(shotsText(task(glue, "stsb"), [pair("0", "A.", "B.", 3.8)])).toMatch(/Answer: 4\n\n$/);
    expect(shotsText(task(superglue, "copa"), [copa])).toBe("The cup broke because It fell.\n\n");
  });

  it("continue a query of ReCoRD with each entity and the rest", () => {
    const item: Item = {
      ...{ id: "0", choices: ["Ann", "Bo"] },
      fields: { passage: "Ann met Bo.", before: "It was ", after: " who came" },
    };
    expect(promptOf(task(superglue, "record"), item)).toBe("Ann met Bo.\nIt was ");
    expect(optionsOf(task(superglue, "record"), item)).toEqual(["Ann who came", "Bo who came"]);
  });
});

describe("answers by likelihood", () => {
  let model: CausalLanguageModel;
  beforeAll(async () => {
    await selectBackend("cpu");
    model = tinyModel();
  });
  afterAll(() => model.dispose());

  /** Log probability of `option` behind `prompt` in one pass over both. */
  function whole(prompt: string, option: string): number {
    const [head, tail] = [encodeLetters(prompt), encodeLetters(option)];
    const labels = [[...head.map(() => ignoredLabel), ...tail]];
    return tf.tidy(() => {
      const { logits } = model.forward({ ids: [[...head, ...tail]] });
      return -tf.sum(tokenCrossEntropy(logits, labels)).dataSync()[0]!;
    });
  }

  it.each([0, 1, 2])("with %i examples are those of a pass over the whole text", async (count) => {
    const rte = task(glue, "rte");
    const examples = [pair("0", "A.", "B.", 1), pair("1", "C.", "D.", 0)].slice(0, count);
    const before = tf.memory().numTensors;
    const answerer = new LikelihoodAnswerer(model, encodeLetters, rte, { examples });
    for (const item of [pair("2", "Ab c.", "B.", 0), pair("3", "X", "Yz.", 1)]) {
      const sums = await answerer.logLikelihoods(promptOf(rte, item), optionsOf(rte, item));
      const expected = optionsOf(rte, item).map((option) =>
        whole(shotsText(rte, examples) + promptOf(rte, item), option),
      );
      sums.forEach((sum, i) => expect(sum).toBeCloseTo(expected[i]!, 3));
      const [prediction] = await answerer.answer([item]);
      expect(prediction).toEqual({ id: item.id, value: expected[0]! >= expected[1]! ? 0 : 1 });
    }
    answerer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("weigh the scores of STS-B by their probabilities", async () => {
    const answerer = new LikelihoodAnswerer(model, encodeLetters, task(glue, "stsb"));
    const item = pair("0", "A.", "B.", 3);
    const prompt = promptOf(task(glue, "stsb"), item);
    const weights = ["0", "1", "2", "3", "4", "5"].map((each) =>
      Math.exp(whole(prompt, ` ${each}`)),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const [prediction] = await answerer.answer([item]);
    const mean = weights.reduce((sum, weight, i) => sum + (i * weight) / total, 0);
    expect(prediction!.value).toBeCloseTo(mean, 3);
  });

  it("cut a prompt that is longer than the context at its beginning", async () => {
    const rte = task(glue, "rte");
    const answerer = new LikelihoodAnswerer(model, encodeLetters, rte, {
      examples: [pair("0", "A.", "B.", 1)],
    });
    const long = "abc ".repeat(200);
    const [cut] = await answerer.logLikelihoods(long, [" yes"]);
    expect(cut).toBeCloseTo(whole(long.slice(-(300 - 4)), " yes"), 3);
    answerer.dispose();
  });
});

describe("answers by generation", () => {
  it.each([
    ["rte", "yes", 0],
    ["rte", "No, it does not.", 1],
    ["rte", "<think>\nyes?\n</think>\n\nThe answer is no.", 1],
    ["rte", "<think>\nendless", -1],
    ["rte", "nobody knows", -1],
    ["rte", "", -1],
    ["stsb", "about 3.5 of 5", 3.5],
    ["stsb", "9", 5],
    ["stsb", "alike", -1],
  ])("%s: %j is %d", (name, reply, value) => {
    expect(readReply(task(glue, name), pair("0", "A.", "B.", 0), reply).value).toBe(value);
  });

  it("take the longest choice that a reply begins with", () => {
    const record = task(superglue, "record");
    const item: Item = { id: "4", fields: {}, choices: ["Joe", "Joe Park", "Lind"] };
    expect(readReply(record, item, "Joe Park.")).toEqual({ id: "4", value: 1, text: "Joe Park" });
    expect(readReply(record, item, "Nobody")).toEqual({ id: "4", value: -1, text: "" });
  });

  it("ask with examples, and list what may be chosen", async () => {
    const asked: string[] = [];
    const answerer = generationAnswerer(task(superglue, "copa"), async (prompts) => {
      asked.push(...prompts);
      return prompts.map(() => "It fell.");
    });
    expect(await answerer.answer([copa])).toEqual([{ id: "0", value: 1 }]);
    expect(asked).toEqual([
      "The cup broke because …\nWhich of these fits best?\nIt shone.\nIt fell.",
    ]);
  });
});
