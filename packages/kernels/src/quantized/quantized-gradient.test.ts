import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { expertMixture, linear, type QuantizedBits } from "../index.ts";
import { selectBackend } from "../node.ts";
import { gradientError, weightedSum } from "../testing/finite-differences.ts";
import { quantized } from "../testing/quantized-weight.ts";

const normal = (shape: number[], seed: number): tf.Tensor =>
  tf.randomNormal(shape, 0, 1, "float32", seed);

function weight(rows: number, columns: number, bits: QuantizedBits, seed: number): tf.Tensor {
  return quantized(normal([rows, columns], seed), bits);
}

/** On cpu: the rounding of wasm's decoding is coarser than the steps of finite differences. */
describe("gradients through quantised weights agree with finite differences", () => {
  beforeAll(() => selectBackend("cpu"));

  it.each([8, 4] as const)("in linear, %i bits", (bits) => {
    const blocks = weight(5, 32, bits, 1);
    expect(gradientError((x) => weightedSum(linear(x, blocks)), [normal([2, 32], 2)])).toBeLessThan(
      1e-2,
    );
  });

  it.each([8, 4] as const)("in expertMixture, %i bits", (bits) => {
    const experts = [0, 1, 2].map((e) => ({
      gate: weight(32, 32, bits, 10 + e),
      up: weight(32, 32, bits, 20 + e),
      down: weight(32, 32, bits, 30 + e),
    }));
    const chosen = tf.tensor2d([0, 2, 1, 0], [2, 2], "int32");
    const mixture = (x: tf.Tensor, weights: tf.Tensor): tf.Scalar =>
      weightedSum(
        expertMixture(
          x as tf.Tensor2D,
          { experts: chosen, weights: weights as tf.Tensor2D },
          experts,
        ),
      );
    const inputs = [tf.mul(normal([2, 32], 3), 0.2), tf.sigmoid(normal([2, 2], 4))];
    expect(gradientError(mixture, inputs)).toBeLessThan(2e-2);
  });
});
