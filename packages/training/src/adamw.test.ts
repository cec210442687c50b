import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { adamWUpdate, createAdamWState, disposeAdamWState } from "./adamw.ts";

interface Settings {
  rate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  decay: number;
}

/** PyTorch's documented AdamW algorithm for one number, in float64. */
function torchAdamW(start: number, gradients: number[], s: Settings): number[] {
  let [p, m, v] = [start, 0, 0];
  return gradients.map((g, i) => {
    p -= s.rate * s.decay * p;
    m = s.beta1 * m + (1 - s.beta1) * g;
    v = s.beta2 * v + (1 - s.beta2) * g ** 2;
    const mHat = m / (1 - s.beta1 ** (i + 1));
    const vHat = v / (1 - s.beta2 ** (i + 1));
    p -= (s.rate * mHat) / (Math.sqrt(vHat) + s.epsilon);
    return p;
  });
}

const gradientAt = (step: number, i: number): number => Math.sin(3 * step + i) * 10 ** (i - 2);

describe.each(["cpu", "wasm"])("adamWUpdate on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each([
    ["the paper's settings", { beta1: 0.9, beta2: 0.95, epsilon: 1e-15 }],
    ["PyTorch's default settings", { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }],
  ])("follows PyTorch's algorithm for ten steps with %s", (_, betas) => {
    const settings = { ...betas, rate: 0.02, decay: 0.3 };
    const start = [0.5, -1, 2, 0.25];
    const matrix = tf.variable(tf.tensor2d(start, [2, 2]));
    const norm = tf.variable(tf.tensor1d(start));
    const parameters = new Map<string, tf.Variable>([
      ["matrix", matrix],
      ["norm", norm],
    ]);
    const state = createAdamWState(parameters);
    for (let step = 0; step < 10; step++) {
      const values = start.map((__, i) => gradientAt(step, i));
      const gradients = new Map<string, tf.Tensor>([
        ["matrix", tf.tensor2d(values, [2, 2])],
        ["norm", tf.tensor1d(values)],
      ]);
      adamWUpdate(
        parameters,
        gradients,
        state,
        { learningRate: 0.02 },
        { ...betas, weightDecay: 0.3 },
      );
      for (const [variable, decay] of [
        [matrix, 0.3],
        [norm, 0],
      ] as const) {
        const found = variable.dataSync();
        start.forEach((value, i) => {
          const history = Array.from({ length: step + 1 }, (__, t) => gradientAt(t, i));
          const expected = torchAdamW(value, history, { ...settings, decay }).at(-1)!;
          expect(found[i]).toBeCloseTo(expected, 5);
        });
      }
    }
    expect(state.step).toBe(10);
  });

  it("scales gradients as if they had been scaled before", () => {
    const update = (scale: number, gradient: number): Float32Array => {
      const parameters = new Map([["w", tf.variable(tf.tensor2d([[1, -1]]))]]);
      const state = createAdamWState(parameters);
      for (const sign of [1, -0.5]) {
        const gradients = new Map([["w", tf.tensor2d([[gradient * sign, -gradient]])]]);
        adamWUpdate(parameters, gradients, state, { learningRate: 0.1, scale }, { epsilon: 0.1 });
      }
      return parameters.get("w")!.dataSync<"float32">();
    };
    expect(update(0.25, 4)).toEqual(update(1, 1));
  });

  it("leaves a parameter without gradient alone, and makes no tensors that stay", () => {
    const parameters = new Map([
      ["used", tf.variable(tf.ones([2, 2]))],
      ["unused", tf.variable(tf.ones([2, 2]))],
    ]);
    const state = createAdamWState(parameters);
    const gradients = new Map([["used", tf.ones([2, 2])]]);
    const before = tf.memory().numTensors;
    adamWUpdate(parameters, gradients, state, { learningRate: 0.1 });
    adamWUpdate(parameters, gradients, state, { learningRate: 0.1 });
    expect(tf.memory().numTensors).toBe(before);
    expect([...parameters.get("unused")!.dataSync()]).toEqual([1, 1, 1, 1]);
    expect(parameters.get("used")!.dataSync()[0]).toBeLessThan(0.9);
    disposeAdamWState(state);
    expect(tf.memory().numTensors).toBe(before - 4);
  });
});
