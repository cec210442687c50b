import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { countingExamples } from "./__fixtures__/counting-examples.ts";
import { tinyModel } from "./__fixtures__/tiny-model.ts";
import { evaluateLosses } from "./evaluate-losses.ts";
import { batchExamples, ExampleError } from "./example.ts";
import { expectTrainable } from "./expect-trainable.ts";
import { accumulateGradients } from "./gradients.ts";
import { trainableModel } from "./trainable-model.ts";
import { DivergedError } from "./update-step.ts";

beforeAll(() => selectBackend("cpu"));

describe("evaluateLosses", () => {
  it("gives the losses of training, whatever the batches, and keeps no tensor", async () => {
    const model = trainableModel(tinyModel(1, 0));
    const whole = batchExamples(countingExamples(3), 100);
    const parts = countingExamples(3).flatMap((example) => batchExamples([example], 100));
    const { gradients, losses } = await accumulateGradients(model, whole);
    tf.dispose([...gradients.values()]);
    const before = tf.memory().numTensors;
    const found = await evaluateLosses(model, parts);
    expect(found.crossEntropy).toBeCloseTo(losses.crossEntropy, 5);
    expect(tf.memory().numTensors).toBe(before);
    await expect(evaluateLosses(model, [])).rejects.toThrow(ExampleError);
  });
});

describe("expectTrainable", () => {
  it("tells a model that was driven to infinity", async () => {
    const model = tinyModel();
    const batches = batchExamples(countingExamples(0), 100);
    await expectTrainable(trainableModel(model), batches, 7);
    const before = tf.memory().numTensors;
    const weight = model.parameters.get("model.norm.weight") as tf.Variable;
    weight.assign(tf.fill(weight.shape, 1e30));
    const check = expectTrainable(trainableModel(model), batches, 7);
    await expect(check).rejects.toThrow(DivergedError);
    await expect(check).rejects.toThrow(/^step 7: expected finite numbers after the update, found/);
    expect(tf.memory().numTensors).toBe(before + 1);
  });
});
