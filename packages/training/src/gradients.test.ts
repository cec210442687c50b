import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { countingExamples } from "./__fixtures__/counting-examples.ts";
import { tinyModel } from "./__fixtures__/tiny-model.ts";
import { batchExamples, ExampleError } from "./example.ts";
import { accumulateGradients, clipScale, globalNorm, type Trainable } from "./gradients.ts";
import { trainableModel } from "./trainable-model.ts";

const hasWebGpu = await selectBackend("webgpu").then(
  () => true,
  () => false,
);
const backends = ["cpu", "wasm", ...(hasWebGpu ? ["webgpu"] : [])];

describe.each(backends)("accumulateGradients on %s", (backend) => {
  let model: Trainable;
  beforeAll(async () => {
    await selectBackend(backend);
    // The router's loss is no mean over tokens, so only the cross entropy can be split exactly.
    model = trainableModel(tinyModel(1, 0));
  });
  const examples = countingExamples(3);

  it("equals the gradient of one padded batch, however the examples are split", async () => {
    const whole = await accumulateGradients(model, batchExamples(examples, 1000));
    const split = await accumulateGradients(
      model,
      examples.flatMap((example) => batchExamples([example], 1000)),
    );
    expect(split.losses.crossEntropy).toBeCloseTo(whole.losses.crossEntropy, 5);
    expect([...split.gradients.keys()]).toEqual([...model.parameters.keys()]);
    for (const [name, gradient] of whole.gradients) {
      const difference = tf.max(tf.abs(tf.sub(gradient, split.gradients.get(name)!)));
      expect((await difference.data())[0]).toBeLessThan(2e-6);
    }
    expect(await globalNorm(whole.gradients)).toBeGreaterThan(0.1);
  });

  it("leaves only the gradients behind", async () => {
    const batches = batchExamples(examples, 10);
    expect(batches.length).toBeGreaterThan(1);
    const before = tf.memory().numTensors;
    const { gradients } = await accumulateGradients(model, batches);
    expect(tf.memory().numTensors).toBe(before + gradients.size);
    tf.dispose([...gradients.values()]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("leaves nothing behind when a later batch fails", async () => {
    const batches = batchExamples(examples, 10);
    const failing: Trainable = {
      parameters: model.parameters,
      losses: (batch) => {
        if (batch === batches.at(-1)) throw new Error("no memory left");
        return model.losses(batch);
      },
    };
    const before = tf.memory().numTensors;
    await expect(accumulateGradients(failing, batches)).rejects.toThrow("no memory left");
    expect(tf.memory().numTensors).toBe(before);
  });

  it("does not count padding in the router's loss", async () => {
    const routed = trainableModel(tinyModel());
    const [short, long] = [countingExamples(1)[0]!, countingExamples(1)[1]!];
    const alone = await accumulateGradients(routed, batchExamples([short], 100));
    const [batch] = batchExamples([short, long], 100);
    const hidden = {
      ...batch!,
      mask: batch!.mask.map((row, b) => (b === 0 ? row.map(() => 0) : row)),
    };
    const { losses } = await accumulateGradients(routed, [hidden]);
    expect(losses.loadBalancing).toBeCloseTo(alone.losses.loadBalancing, 5);
  });

  it("refuses batches with nothing to learn", async () => {
    const batches = batchExamples([{ ids: [1, 2], learned: [1, 0] }], 10);
    await expect(accumulateGradients(model, batches)).rejects.toThrow(ExampleError);
  });
});

describe.each(backends)("clipping on %s", (backend) => {
  const gradients = new Map<string, tf.Tensor>();
  beforeAll(async () => {
    await selectBackend(backend);
    gradients.set("a", tf.tensor1d([3, 0])).set("b", tf.tensor2d([[-4]]));
  });

  it("measures the Euclidean norm over all gradients", async () => {
    expect(await globalNorm(gradients)).toBeCloseTo(5, 6);
  });

  it("scales a large norm down to the limit and leaves a small one alone", () => {
    expect(clipScale(5, 2)).toBeCloseTo(0.4, 12);
    expect(clipScale(1.9, 2)).toBe(1);
  });
});
