import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { countingExamples } from "./__fixtures__/counting-examples.ts";
import { tinyModel } from "./__fixtures__/tiny-model.ts";
import { createAdamWState } from "./adamw.ts";
import { trainableModel } from "./trainable-model.ts";
import { train, type StepReport, type TrainOptions } from "./trainer.ts";
import { DivergedError } from "./update-step.ts";

function setUp(steps: number): {
  model: ReturnType<typeof trainableModel>;
  state: ReturnType<typeof createAdamWState>;
  reports: StepReport[];
  options: TrainOptions;
} {
  const model = trainableModel(tinyModel());
  const reports: StepReport[] = [];
  return {
    model,
    state: createAdamWState(model.parameters),
    reports,
    options: {
      schedule: { peak: 0.02, warmupSteps: 5, totalSteps: steps },
      examples: countingExamples,
      onStep: (report) => void reports.push(report),
    },
  };
}

describe.each(["cpu", "wasm"])("train on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("learns to count from a random start, without a tensor left over", async () => {
    const { model, state, reports, options } = setUp(60);
    const before = tf.memory().numTensors;
    await train(model, state, options);
    expect(tf.memory().numTensors).toBe(before);
    expect(reports.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(reports[0]!.crossEntropy).toBeGreaterThan(2.5);
    expect(reports.at(-1)!.crossEntropy).toBeLessThan(0.3);
    expect(reports.every(({ tokens }) => tokens === 21)).toBe(true);
  });

  it("stops at a loss that is not finite and keeps the parameters of the last good step", async () => {
    const { model, state, reports, options } = setUp(10);
    const good = new Map<string, number[]>();
    const run = train(
      {
        parameters: model.parameters,
        losses: (batch) => {
          const losses = model.losses(batch);
          return state.step < 3 ? losses : { ...losses, total: tf.mul(losses.total, NaN) };
        },
      },
      state,
      {
        ...options,
        onStep: (report) => {
          reports.push(report);
          for (const [name, tensor] of model.parameters) good.set(name, [...tensor.dataSync()]);
        },
      },
    );
    await expect(run).rejects.toThrow(DivergedError);
    await expect(run).rejects.toThrow(/^step 4: expected finite numbers, found .* norm NaN$/);
    expect(reports).toHaveLength(3);
    expect(state.step).toBe(3);
    for (const [name, tensor] of model.parameters) {
      expect([...tensor.dataSync()]).toEqual(good.get(name));
    }
  });

  it("stops after the step in which it is aborted, and goes on later as if it had not", async () => {
    const straight = setUp(8);
    await train(straight.model, straight.state, straight.options);
    const broken = setUp(8);
    const controller = new AbortController();
    await train(broken.model, broken.state, {
      ...broken.options,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 3) controller.abort();
      },
    });
    expect(broken.state.step).toBe(3);
    await train(broken.model, broken.state, broken.options);
    for (const [name, tensor] of straight.model.parameters) {
      expect(broken.model.parameters.get(name)!.dataSync()).toEqual(tensor.dataSync());
    }
  });

  it("limits the norm of the gradient", async () => {
    const first = async (maxGradientNorm: number): Promise<number> => {
      const { model, state, options } = setUp(1);
      await train(model, state, { ...options, maxGradientNorm });
      const squares = [...state.first.values()].map((moment) => tf.sum(tf.square(moment)));
      return Math.sqrt(tf.addN(squares).dataSync()[0]!);
    };
    // The first moment after one step is (1 − β1) of the clipped gradient.
    expect(await first(0.01)).toBeCloseTo(0.1 * 0.01, 6);
    expect(await first(1e9)).toBeGreaterThan(0.1 * 0.1);
  });
});

const hasWebGpu = await selectBackend("webgpu").then(
  () => true,
  () => false,
);

describe.skipIf(!hasWebGpu)("train on webgpu", () => {
  it("goes the way that it goes on cpu", async () => {
    const losses: number[][] = [];
    for (const backend of ["cpu", "webgpu"]) {
      await selectBackend(backend);
      const { model, state, reports, options } = setUp(2);
      await train(model, state, options);
      losses.push(reports.map(({ crossEntropy }) => crossEntropy));
    }
    const [expected, found] = losses as [number[], number[]];
    expect(expected[1]).toBeLessThan(expected[0]!);
    found.forEach((loss, step) => expect(loss).toBeCloseTo(expected[step]!, 4));
  });
});
