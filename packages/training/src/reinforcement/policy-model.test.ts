import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { letterTokenizer } from "../__fixtures__/letter-tokenizer.ts";
import { tinyModel } from "../__fixtures__/tiny-model.ts";
import { accumulateGradients } from "../gradients.ts";
import { policyModel } from "./policy-model.ts";
import { batchRollouts, type JudgedRollout } from "./rollout-batches.ts";
import { answerDrawing, drawGroups } from "./rollout.ts";

const prompts = ["abc", "hello", "x"].map((text) => ({
  ids: letterTokenizer.encode(text),
  reward: (answer: string) => answer.length / 7,
}));
const none = { algorithm: "cispo", low: Infinity, high: Infinity } as const;

async function judged(model: ReturnType<typeof tinyModel>): Promise<JudgedRollout[]> {
  const sampling = { maxNewTokens: 7, seed: 3 };
  const groups = await drawGroups(answerDrawing(model, letterTokenizer), prompts, 2, sampling);
  return groups.flatMap((group) =>
    group.map((rollout, i) => ({ ...rollout, advantage: 2 * i - 1 })),
  );
}

describe.each(["cpu", "wasm"])("policyModel on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("finds the probabilities that the tokens were drawn with", async () => {
    const model = tinyModel();
    const batches = batchRollouts(await judged(model), 40);
    expect(batches.length).toBeGreaterThan(1);
    const { losses } = await accumulateGradients(policyModel(model, none), batches);
    expect(losses.weightDeviation).toBeLessThan(1e-5);
    expect(losses.clippedShare).toBe(0);
    model.dispose();
  });

  it("has the gradient of the mean over all drawn tokens, by finite differences", async () => {
    const model = tinyModel(1, 0);
    const rollouts = await judged(model);
    // As if the policy had moved on since: weights other than 1, some of them clipped.
    const moved = rollouts.map((rollout, r) => ({
      ...rollout,
      logProbabilities: rollout.logProbabilities.map((value, t) => value + 0.4 * Math.sin(r + t)),
    }));
    const clipping = { algorithm: "cispo", low: Infinity, high: 0.2 } as const;
    const batches = batchRollouts(moved, 1000);
    const { gradients, losses } = await accumulateGradients(policyModel(model, clipping), batches);
    expect(losses.clippedShare).toBeGreaterThan(0.1);

    const weights = moved.map(({ logProbabilities }, r) =>
      logProbabilities.map((old, t) =>
        Math.min(1.2, Math.exp(rollouts[r]!.logProbabilities[t]! - old)),
      ),
    );
    const count = moved.reduce((sum, { ids }) => sum + ids.length, 0);
    const loss = (): number => {
      let sum = 0;
      moved.forEach(({ promptIds, ids, advantage }, r) => {
        const logits = model.forward({ ids: [[...promptIds, ...ids]] }).logits;
        const all = tf.logSoftmax(logits).arraySync() as number[][][];
        ids.forEach((id, t) => {
          sum -= weights[r]![t]! * advantage * all[0]![promptIds.length + t - 1]![id]!;
        });
      });
      return sum / count;
    };
    let checked = 0;
    for (const [name, gradient] of gradients) {
      const variable = model.parameters.get(name) as tf.Variable;
      const values = gradient.dataSync<"float32">();
      const place = values.reduce(
        (best, value, i) => (Math.abs(value) > Math.abs(values[best]!) ? i : best),
        0,
      );
      const before = variable.dataSync().slice();
      const at = (shift: number): number => {
        const shifted = before.slice();
        shifted[place]! += shift;
        variable.assign(tf.tensor(shifted, variable.shape));
        return tf.tidy(loss);
      };
      const step = 5e-3;
      const difference = (at(step) - at(-step)) / (2 * step);
      variable.assign(tf.tensor(before, variable.shape));
      const error = Math.abs(values[place]! - difference);
      expect({ name, isClose: error < 0.02 * Math.abs(difference) + 2e-4 }).toEqual({
        name,
        isClose: true,
      });
      checked += 1;
    }
    expect(checked).toBe(model.parameters.size);
  });

  it("does not teach tokens that closed a thought by force", async () => {
    const model = tinyModel(1, 0);
    const rollouts = (await judged(model)).map((rollout) => ({
      ...rollout,
      learned: rollout.ids.map((_, t) => (t === 0 ? 1 : 0)),
    }));
    const short = rollouts.map((rollout) => ({
      ...rollout,
      ids: rollout.ids.slice(0, 1),
      logProbabilities: rollout.logProbabilities.slice(0, 1),
      learned: [1],
    }));
    const loss = async (drawn: JudgedRollout[]) =>
      (await accumulateGradients(policyModel(model, none), batchRollouts(drawn, 1000))).losses
        .policy;
    expect(await loss(rollouts)).toBeCloseTo(await loss(short), 5);
    // Nor does a batch of nothing else spoil the others.
    const forced = short.map((rollout) => ({ ...rollout, learned: [0] }));
    const parted = [...batchRollouts(short, 1000), ...batchRollouts(forced, 1000)];
    const { losses } = await accumulateGradients(policyModel(model, none), parted);
    expect(losses.policy).toBeCloseTo(await loss(short), 5);
  });
});
