import { selectBackend } from "@levin/kernels/node";
import { PromptTooLongError, type TextTokenizer } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { letterTokenizer } from "../__fixtures__/letter-tokenizer.ts";
import { tinyModel } from "../__fixtures__/tiny-model.ts";
import { drawMixedGroups } from "./mixed-groups.ts";
import { answerDrawing, drawGroups } from "./rollout.ts";

beforeAll(() => selectBackend("wasm"));

const open = 20;
const close = 21;
/** Letters, and two ids that open and close a thought. */
const thinkingTokenizer: TextTokenizer = {
  ...letterTokenizer,
  encode: (text) => (text.includes("</think>") ? [close, 0, 1] : letterTokenizer.encode(text)),
  tokenToId: (token) => ({ "<think>": open, "</think>": close })[token],
};

it("counts no tokens that closed a thought by force to the entropy of the policy", async () => {
  const model = tinyModel();
  const draw = answerDrawing(model, thinkingTokenizer);
  const { rollouts, entropy } = await drawMixedGroups(draw, 0, {
    prompt: (number) => ({ ids: [number, open], reward: (answer) => answer.length }),
    promptsPerIteration: 2,
    groupSize: 4,
    maxNewTokens: 9,
    thinkingBudget: 3,
    seed: 1,
  });
  const marks = rollouts.flatMap(({ learned }) => learned);
  expect(new Set(marks)).toEqual(new Set([0, 1]));
  const chosen = rollouts
    .flatMap(({ logProbabilities }) => logProbabilities)
    .filter((_, i) => marks[i] === 1);
  const mean = chosen.reduce((sum, value) => sum + value, 0) / chosen.length;
  expect(entropy).toBeCloseTo(-mean, 9);
  model.dispose();
});

it("ends all answers and frees their states when one prompt fails", async () => {
  const model = tinyModel();
  const before = tf.memory().numTensors;
  const prompts = [[1], Array<number>(70).fill(1)].map((ids) => ({ ids, reward: () => 0 }));
  const draw = answerDrawing(model, letterTokenizer);
  const drawing = drawGroups(draw, prompts, 2, { maxNewTokens: 50, seed: 1 });
  await expect(drawing).rejects.toThrow(PromptTooLongError);
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});
