import * as tf from "@tensorflow/tfjs-core";
// Brings the gradients of the stock operations; tfjs-core alone has none.
import "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  accumulate,
  adamW,
  embedding,
  mergeHeads,
  rmsNorm,
  rotaryAngles,
  rotaryEmbedding,
  routeTopExperts,
  scaledResidual,
  sigmoidGate,
  silu,
  softmaxCrossEntropy,
  splitHeads,
  sumOfSquares,
} from "../index.ts";
import { selectBackend } from "../node.ts";
import { normal } from "../testing/both-backends.ts";
import { expectSameOnWebGpu, hasWebGpu } from "../testing/on-webgpu.ts";

/** The value and the gradients of all inputs. */
function withGradients(
  operation: (...inputs: tf.Tensor[]) => tf.Tensor,
  ...inputs: tf.Tensor[]
): tf.Tensor[] {
  const value = operation(...inputs);
  return [value, ...tf.grads(operation)(inputs, normal(value.shape, 99))];
}

/** Values and gradients. */
const cases: Record<string, () => tf.Tensor[]> = {
  rmsNorm: () =>
    withGradients((x, w) => rmsNorm(x, w, 1e-5), normal([3, 2, 70], 1), normal([70], 2)),
  silu: () => withGradients(silu, tf.mul(normal([3, 50], 1), 5)),
  sigmoidGate: () => withGradients(sigmoidGate, normal([130], 1), tf.mul(normal([130], 2), 5)),
  scaledResidual: () =>
    withGradients((a, b) => scaledResidual(a, 1.5, b, 0.5), normal([70], 1), normal([70], 2)),
  "splitHeads and mergeHeads": () =>
    withGradients(
      (x) => {
        const [a, b, c] = splitHeads(x as tf.Tensor3D, 4, 3) as [tf.Tensor4D, ...tf.Tensor4D[]];
        return mergeHeads(tf.mul(tf.mul(a, b!), c!));
      },
      normal([2, 5, 60], 1),
    ),
  "splitHeads and mergeHeads of one token": () =>
    withGradients(
      (x) => mergeHeads(tf.square(splitHeads(x as tf.Tensor3D, 4)[0]!) as tf.Tensor4D),
      normal([2, 1, 20], 1),
    ),
  "rotaryEmbedding, of some dimensions, with angles of each sequence": () => {
    const positions = [
      [0, 1, 2],
      [4, 5, 6],
    ];
    const angles = rotaryAngles(positions, { rotaryDim: 6, base: 100 });
    return withGradients((x) => rotaryEmbedding(x as tf.Tensor4D, angles), normal([2, 2, 3, 9], 1));
  },
  "embedding, with a row that is not trained": () => {
    const ids = tf.tensor2d([0, 2, 2, 1, 3, 2], [2, 3], "int32");
    return withGradients((table) => embedding(ids, table, 1), normal([5, 70], 1));
  },
  routeTopExperts: () => {
    const logits = normal([70, 9], 1) as tf.Tensor2D;
    const { experts } = routeTopExperts(logits, 3);
    const weights = (l: tf.Tensor): tf.Tensor => routeTopExperts(l as tf.Tensor2D, 3).weights;
    return [tf.cast(experts, "float32"), ...withGradients(weights, logits)];
  },
  "softmaxCrossEntropy, with a row that does not count": () => {
    const targets = tf.tensor1d([2, -1, 0, 4], "int32");
    return withGradients(
      (logits) => softmaxCrossEntropy(logits as tf.Tensor2D, targets),
      normal([4, 5], 1),
    );
  },
  "adamW, accumulate and sumOfSquares": () => {
    const some = (seed: number): tf.Tensor[] => [normal([7, 5], seed), normal([3], seed + 10)];
    const squares = some(4).map((tensor) => tf.square(tensor));
    const factors = { keepFirst: 0.9, addFirst: 0.1, keepSecond: 0.95, addSecond: 0.05 };
    const moved = adamW(
      { parameters: some(1), gradients: some(2), first: some(3), second: squares },
      { ...factors, unbias: 1.5, epsilon: 1e-8, rate: 0.01, shrinks: [0.99, 1] },
    );
    return [
      ...[...moved.parameters, ...moved.first, ...moved.second],
      ...[
        ...accumulate(some(1), some(2)),
        sumOfSquares(Array<tf.Tensor[]>(20).fill(some(3)).flat()),
      ],
    ];
  },
};

describe.skipIf(!hasWebGpu)("on WebGPU, value and gradients as those of the reference:", () => {
  it.each(Object.entries(cases))("%s", (_, compute) => expectSameOnWebGpu(compute));
});

describe.skipIf(!hasWebGpu)("kernels on WebGPU", () => {
  beforeAll(() => selectBackend("webgpu"));

  it("stay finite for numbers whose exponentials are not, and keep those that are none", async () => {
    const far = tf.tensor1d([-1000, -88, 0, 88, 1000, NaN]);
    const gate = await sigmoidGate(tf.ones<tf.Rank.R1>([6]), far).data();
    const none = expect.closeTo(0, 30) as number;
    expect([...gate]).toEqual([none, none, 0.5, 1, 1, NaN]);
  });

  it("read what was cast from whole numbers", async () => {
    const ones = tf.tensor1d([1, 2, 3], "int32");
    const sum = scaledResidual(tf.cast(ones, "float32"), 2, tf.cast(ones, "float32"), 1);
    expect([...(await sum.data())]).toEqual([3, 6, 9]);
  });

  it("prefer the first of equal experts and still name experts where logits are no numbers", async () => {
    const { experts } = routeTopExperts(tf.tensor2d([1, 2, 2, 1, NaN, NaN, NaN, NaN], [2, 4]), 3);
    const [equals, none] = (await experts.array()) as [number[], number[]];
    expect(equals).toEqual([1, 2, 0]);
    expect(new Set(none).size).toBe(3);
    expect(none.every((expert) => expert >= 0 && expert < 4)).toBe(true);
  });
});
