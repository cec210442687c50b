import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { rmsNorm, scaledResidual, sigmoidGate, silu, softmaxCrossEntropy } from "../index.ts";
import { selectBackend } from "../node.ts";
import { expectSameOnWasm, normal } from "../testing/both-backends.ts";

const size = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 300 }));
const problem = fc.record({ rows: size, columns: size, seed: fc.integer({ min: 1, max: 1e6 }) });

/** The value and the gradients of all inputs. */
function withGradients(
  operation: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
): tf.Tensor[] {
  const value = operation(...inputs);
  return [value, ...tf.grads(operation)(inputs, normal(value.shape, 99))];
}

describe("fused kernels on wasm give values and gradients of their references on cpu", () => {
  const forAnySize = (
    compute: (p: { rows: number; columns: number; seed: number }) => tf.Tensor[],
  ) =>
    fc.assert(
      fc.asyncProperty(problem, (sizes) => expectSameOnWasm(() => compute(sizes))),
      { numRuns: 20 },
    );

  it("rmsNorm", () =>
    forAnySize(({ rows, columns, seed }) =>
      withGradients(
        (x, weight) => rmsNorm(x, weight, 1e-5),
        [normal([rows, columns], seed), normal([columns], seed + 1)],
      ),
    ));

  it("silu", () =>
    forAnySize(({ rows, columns, seed }) =>
      withGradients(silu, [tf.mul(normal([rows, columns], seed), 5)]),
    ));

  it("sigmoidGate", () =>
    forAnySize(({ rows, columns, seed }) =>
      withGradients(sigmoidGate, [
        normal([rows, columns], seed),
        tf.mul(normal([rows, columns], seed + 1), 5),
      ]),
    ));

  it("scaledResidual", () =>
    forAnySize(({ rows, columns, seed }) =>
      withGradients(
        (skip, branch) => scaledResidual(skip, 1.5, branch, (seed % 3) / 2),
        [normal([rows, columns], seed), normal([rows, columns], seed + 1)],
      ),
    ));

  it("softmaxCrossEntropy, with rows that do not count", () =>
    forAnySize(({ rows, columns, seed }) => {
      const targets = Array.from({ length: rows }, (_, row) => ((row * seed) % (columns + 1)) - 1);
      return withGradients(
        (logits) => softmaxCrossEntropy(logits as tf.Tensor2D, tf.tensor1d(targets, "int32")),
        [tf.mul(normal([rows, columns], seed), 10)],
      );
    }));
});

describe("fused kernels on wasm", () => {
  beforeAll(() => selectBackend("wasm"));

  it("stay finite for numbers whose exponentials are not", () => {
    const far = tf.tensor2d([[-Infinity, -1000, -88, 0, 88, 1000]]);
    const gate = sigmoidGate(tf.ones<tf.Rank.R2>([1, 6]), far).dataSync();
    const none = expect.closeTo(0, 30) as number;
    expect([...gate]).toEqual([none, none, none, 0.5, 1, 1]);
    const targets = tf.tensor1d([0, 5], "int32");
    const losses = softmaxCrossEntropy(tf.tile(far, [2, 1]) as tf.Tensor2D, targets);
    expect([...losses.dataSync()]).toEqual([Infinity, 0]);
  });

  it("carry numbers that are none into the loss", () => {
    const targets = tf.tensor1d([1], "int32");
    const loss = softmaxCrossEntropy(tf.tensor2d([[1, 2, 3, 4, NaN]]), targets);
    expect(loss.dataSync()[0]).toBeNaN();
  });

  it("share the numbers of clones, which outlive their original", () => {
    const original = tf.tensor1d([1, 2]);
    const clone = tf.clone(original);
    original.dispose();
    expect([...clone.dataSync()]).toEqual([1, 2]);
    clone.dispose();
  });
});
