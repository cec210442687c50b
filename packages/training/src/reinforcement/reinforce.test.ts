import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { letterTokenizer } from "../__fixtures__/letter-tokenizer.ts";
import { tinyModel } from "../__fixtures__/tiny-model.ts";
import { createAdamWState, disposeAdamWState } from "../adamw.ts";
import { NothingToLearnError } from "./mixed-groups.ts";
import {
  reinforce,
  ReinforceOptionsError,
  type IterationReport,
  type ReinforceOptions,
} from "./reinforce.ts";
import { answerDrawing, type DrawAnswers, type DrawnAnswer } from "./rollout.ts";

beforeAll(() => selectBackend("wasm"));

/** To write letters from the first half of the alphabet. */
function reward(answer: string): number {
  return (
    Array.from(answer, (letter) => (letter < "m" ? 1 : 0)).reduce<number>((a, b) => a + b, 0) / 6
  );
}

function options(changes: Partial<ReinforceOptions> = {}): ReinforceOptions {
  return {
    iterations: 8,
    updatesPerIteration: 2,
    promptsPerIteration: 4,
    groupSize: 8,
    learningRate: 0.01,
    maxNewTokens: 6,
    seed: 1,
    prompt: (number) => ({ ids: [number % 24, (number * 7) % 24], reward }),
    ...changes,
  };
}

async function run(changes: Partial<ReinforceOptions>, model = tinyModel()) {
  const state = createAdamWState(model.parameters);
  const reports: IterationReport[] = [];
  const onIteration = (report: IterationReport) => void reports.push(report);
  await reinforce(model, letterTokenizer, state, options({ onIteration, ...changes }));
  const bytes = [...model.parameters.values()].map((tensor) => [...tensor.dataSync()]);
  return { model, state, reports, bytes };
}

describe.each(["cispo", "grpo"] as const)("reinforce by %s", (algorithm) => {
  it("learns what is rewarded", async () => {
    const clipping = { algorithm, low: algorithm === "cispo" ? Infinity : 0.2, high: 0.3 };
    const { reports } = await run({ clipping, iterations: 14 });
    expect(reports.map(({ iteration }) => iteration)).toEqual(reports.map((_, i) => i + 1));
    expect(reports[0]!.reward).toBeLessThan(0.65);
    expect(reports.at(-1)!.reward).toBeGreaterThan(0.85);
    for (const { precisionGap } of reports) expect(precisionGap).toBeLessThan(1e-4);
  });
});

describe("reinforce", () => {
  it("learns the same from answers that were drawn in shares, as JSON", async () => {
    const here = await run({ iterations: 3 });
    const [model, elsewhere] = [tinyModel(), tinyModel()];
    const drawElsewhere = answerDrawing(elsewhere, letterTokenizer);
    const draw: DrawAnswers = async (prompts, groupSize, sampling) => {
      // The other model is told the parameters before it draws.
      for (const [name, tensor] of elsewhere.parameters) {
        (tensor as tf.Variable).assign(model.parameters.get(name)!);
      }
      const groups: DrawnAnswer[][] = [];
      for (const [p, prompt] of prompts.entries()) {
        const own = { ...sampling, seed: sampling.seed + p * groupSize };
        groups.push(...(await drawElsewhere([prompt], groupSize, own)));
      }
      return JSON.parse(JSON.stringify(groups)) as typeof groups;
    };
    const { bytes } = await run({ iterations: 3, draw }, model);
    // A row's sums are rounded by how many are computed beside it.
    const others = here.bytes.flat();
    const differences = bytes.flat().map((value, i) => Math.abs(value - others[i]!));
    expect(Math.max(...differences)).toBeLessThan(1e-5);
    elsewhere.dispose();
  });

  it("goes on exactly where it was stopped", async () => {
    const whole = await run({ iterations: 4 });
    const parted = await run({ iterations: 2 });
    const { model, state } = parted;
    await reinforce(model, letterTokenizer, state, options({ iterations: 4 }));
    expect([...model.parameters.values()].map((tensor) => [...tensor.dataSync()])).toEqual(
      whole.bytes,
    );
  });

  it("draws further prompts until enough groups have answers of different reward", async () => {
    const prompt = (number: number) => ({
      ids: [1],
      reward: number % 3 === 0 ? reward : () => 1,
    });
    const { reports } = await run({ prompt, iterations: 1, promptsPerIteration: 3 });
    expect(reports[0]!.mixedShare).toBeGreaterThan(0.3);
    expect(reports[0]!.mixedShare).toBeLessThan(0.6);
  });

  it("prefers the shorter of two right answers when length has a price", async () => {
    const { reports } = await run({
      prompt: (number) => ({ ids: [number % 24], reward: () => 1 }),
      lengthPenalty: { free: 1, most: 6 },
      iterations: 8,
    });
    expect(reports.at(-1)!.length).toBeLessThan(0.8 * reports[0]!.length);
  });

  it("says so when there is nothing to learn, and leaves the model as it was", async () => {
    const model = tinyModel();
    const state = createAdamWState(model.parameters);
    const before = [...model.parameters.values()].map((tensor) => [...tensor.dataSync()]);
    const tensors = tf.memory().numTensors;
    const hopeless = options({ prompt: () => ({ ids: [1], reward: () => 0 }), mostDraws: 2 });
    await expect(reinforce(model, letterTokenizer, state, hopeless)).rejects.toThrow(
      new NothingToLearnError(
        "expected answers of different reward to at least one prompt, found none in 8 prompts " +
          "(mean reward 0.00): the problems are too easy or too hard for this model",
      ),
    );
    expect(tf.memory().numTensors).toBe(tensors);
    expect([...model.parameters.values()].map((tensor) => [...tensor.dataSync()])).toEqual(before);
    disposeAdamWState(state);
  });

  it("ends between iterations when aborted, and in the middle of drawing without an update", async () => {
    const controller = new AbortController();
    const { reports, state } = await run({
      signal: controller.signal,
      prompt: (number) => {
        if (number >= 40) controller.abort();
        return { ids: [number % 24], reward };
      },
    });
    expect(reports).toHaveLength(1);
    expect(state.step).toBe(2);
  });

  it.each([
    [{ groupSize: 1 }, "groupSize: expected a whole number from 2, found 1"],
    [
      { lengthPenalty: { free: 5, most: 5 } },
      "lengthPenalty: expected free below most, found 5 and 5",
    ],
    [{ updatesPerIteration: 9 }, "updatesPerIteration: expected at most groupSize (8), found 9"],
    [
      { promptsPerIteration: 0.5 },
      "promptsPerIteration: expected a whole number from 1, found 0.5",
    ],
  ])("refuses %j", async (changes, message) => {
    await expect(run(changes)).rejects.toThrow(new ReinforceOptionsError(message));
  });
});
