import { selectBackend } from "@levin/kernels/node";
import { CausalLanguageModel } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { countingExamples } from "../__fixtures__/counting-examples.ts";
import { tinyModel } from "../__fixtures__/tiny-model.ts";
import { createAdamWState } from "../adamw.ts";
import { batchExamples } from "../example.ts";
import { accumulateGradients } from "../gradients.ts";
import { trainableModel } from "../trainable-model.ts";
import { train } from "../trainer.ts";
import { createLora } from "./create-lora.ts";
import { LoraError, type LoraAdapter } from "./lora-adapter.ts";
import { loraModel, mergeLora } from "./lora-model.ts";
import { expertTargets } from "./lora-shapes.ts";

const batches = batchExamples(countingExamples(1), 1000);
const ids = [[1, 2, 3, 4, 5]];

function logits(model: CausalLanguageModel): Float32Array {
  return tf.tidy(() => model.forward({ ids }).logits.dataSync() as Float32Array);
}

/** Weights of all parameters, one after the other. */
function weights(model: CausalLanguageModel): Float32Array[] {
  return [...model.parameters.values()].map((tensor) => tensor.dataSync<"float32">().slice());
}

/** An adapter whose B is not zero. */
function movedLora(model: CausalLanguageModel, targets?: readonly string[]): LoraAdapter {
  const adapter = createLora(model, { rank: 2, alpha: 3, seed: 5, ...(targets && { targets }) });
  for (const [i, variable] of [...adapter.parameters.values()].entries()) {
    variable.assign(tf.randomNormal(variable.shape, 0, 0.2, "float32", i + 1));
  }
  return adapter;
}

describe.each(["cpu", "wasm"])("LoRA on %s", (backend) => {
  let model: CausalLanguageModel;
  beforeAll(async () => {
    await selectBackend(backend);
    model = tinyModel();
  });

  it("changes nothing at first, and is the same for the same seed", () => {
    const [first, again, other] = [1, 1, 2].map((seed) => createLora(model, { rank: 3, seed }));
    expect(first!.modules).toHaveLength(7);
    expect(logits(mergeLora(model, first!))).toEqual(logits(model));
    const values = (adapter: LoraAdapter): unknown =>
      [...adapter.parameters.values()].map((variable) => variable.dataSync());
    expect(values(first!)).toEqual(values(again!));
    expect(values(first!)).not.toEqual(values(other!));
  });

  it.each([
    ["attention", undefined],
    ["experts", expertTargets],
  ] as const)(
    "of %s has the gradient that finite differences give, for its factors alone",
    async (_, targets) => {
      const adapter = movedLora(model, targets);
      const trainable = loraModel(model, adapter, trainableModel);
      const { gradients } = await accumulateGradients(trainable, batches);
      expect([...gradients.keys()]).toEqual([...adapter.parameters.keys()]);
      const loss = (): number => tf.tidy(() => trainable.losses(batches[0]!).total.dataSync()[0]!);
      for (const [name, variable] of adapter.parameters) {
        const direction = tf.randomNormal(variable.shape, 0, 1, "float32", 7);
        const slope = tf.sum(tf.mul(direction, gradients.get(name)!)).dataSync()[0]!;
        const start = variable.clone();
        const step = 1e-3; // Small, as routers choose anew at some point.
        const [above, below] = [step, -step].map((by) => {
          variable.assign(tf.add(start, tf.mul(direction, by)));
          return loss();
        }) as [number, number];
        variable.assign(start);
        expect((above - below) / (2 * step)).toBeCloseTo(slope, 3);
      }
      const largest = Math.max(
        ...[...gradients.values()].map((gradient) => tf.max(tf.abs(gradient)).dataSync()[0]!),
      );
      expect(largest).toBeGreaterThan(0.02);
    },
  );

  it("merged is W + alpha/rank · B · A, forwards and while decoding", () => {
    const adapter = movedLora(model);
    const merged = mergeLora(model, adapter);
    const name = "model.layers.1.self_attn.k_proj";
    const [a, b] = ["A", "B"].map((factor) =>
      adapter.parameters.get(`${name}.lora_${factor}.weight`)!.arraySync(),
    ) as [number[][], number[][]];
    const before = model.parameters.get(`${name}.weight`)!.arraySync() as number[][];
    const found = merged.parameters.get(`${name}.weight`)!.arraySync() as number[][];
    found.forEach((row, i) =>
      row.forEach((value, j) => {
        const change = (b[i]![0]! * a[0]![j]! + b[i]![1]! * a[1]![j]!) * (3 / 2);
        expect(value).toBeCloseTo(before[i]![j]! + change, 5);
      }),
    );
    const whole = logits(merged).slice(-24);
    const state = merged.createState(1);
    let last: tf.Tensor | undefined;
    for (const id of ids[0]!) last = merged.advance(state, { ids: [[id]] });
    last!.dataSync().forEach((value, i) => expect(value).toBeCloseTo(whole[i]!, 4));
    expect(whole).not.toEqual(logits(model).slice(-24));
  });

  it("learns with AdamW, and leaves the model's weights to the bit once dropped", async () => {
    const [kept, expected] = [weights(model), logits(model)];
    const before = tf.memory().numTensors;
    const adapter = createLora(model, { rank: 4 });
    const state = createAdamWState(adapter.parameters);
    const losses: number[] = [];
    await train(loraModel(model, adapter, trainableModel), state, {
      schedule: { peak: 0.02, warmupSteps: 1, totalSteps: 30 },
      examples: () => countingExamples(1),
      onStep: ({ crossEntropy }) => void losses.push(crossEntropy),
    });
    expect(losses.at(-1)!).toBeLessThan(0.6 * losses[0]!);
    const merged = mergeLora(model, adapter);
    expect(logits(merged)).not.toEqual(expected);
    // Its numbers are all there is to it, wherever they stand in memory.
    const copy = createLora(model, { rank: 4 });
    for (const [name, variable] of copy.parameters) {
      const values = adapter.parameters.get(name)!.dataSync().slice();
      tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
    }
    const mergedCopy = mergeLora(model, copy);
    expect(logits(mergedCopy)).toEqual(logits(merged));
    for (const part of [merged, mergedCopy, adapter, copy]) part.dispose();
    tf.dispose([...state.first.values(), ...state.second.values()]);
    expect(tf.memory().numTensors).toBe(before);
    expect(weights(model)).toEqual(kept);
    expect(logits(model)).toEqual(expected);
  });

  it.each([
    [{ rank: 0 }, /expected a whole rank ≥ 1 and alpha > 0, found 0 and 0/],
    [{ alpha: Number.NaN }, /found 8 and NaN/],
    [{ targets: ["query"] }, /expected targets among the model's matrices, found \[query\]/],
    [
      { targets: ["norm"] },
      /norm.weight: expected a float32 matrix to adapt, found float32 \[16\]/,
    ],
    [{ targets: ["embed_tokens"] }, /embed_tokens.weight: expected a float32 matrix/],
  ])("refuses %o", (options, message) => {
    expect(() => createLora(model, options)).toThrow(LoraError);
    expect(() => createLora(model, options)).toThrow(message);
  });

  it("refuses quantised weights, and a model that the adapter was not made for", () => {
    const quantised = new Map(model.parameters);
    const name = "model.layers.0.self_attn.qkv_proj.weight";
    quantised.set(name, tf.zeros([48, 9], "int32"));
    const other = new CausalLanguageModel(model.config, quantised);
    expect(() => createLora(other)).toThrow(
      `${name}: expected a float32 matrix to adapt, found int32 [48,9]`,
    );
    quantised.set(name, tf.zeros([48, 8]));
    expect(() => mergeLora(other, createLora(model, { rank: 2 }))).toThrow(
      "qkv_proj.lora_A.weight: expected [2,8], found [2,16]",
    );
  });
});
