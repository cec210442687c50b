import * as tf from "@tensorflow/tfjs-core";
// Brings the gradients of the stock operations; tfjs-core alone has none.
import "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expertMixture, routeTopExperts, softmaxAttention, splitHeads } from "../index.ts";
import { selectBackend } from "../node.ts";
import { expectSameOn, normal } from "../testing/both-backends.ts";
import {
  lightningWithGradients,
  type RandomLightning,
} from "../testing/lightning-with-gradients.ts";
import { quantized } from "../testing/quantized-weight.ts";

const hasTensorFlow = await selectBackend("tensorflow").then(
  () => true,
  () => false,
);

const onTensorFlow = (compute: () => tf.Tensor[]): Promise<void> =>
  expectSameOn("tensorflow", compute, 2e-5);

function lightning(
  shape: RandomLightning["shape"],
  withState: boolean,
  withMask: boolean,
): tf.Tensor[] {
  const [batch, heads, length] = shape;
  const slopes = Array.from({ length: heads }, (_, head) => 2 ** -(3 * head));
  const padding = Float32Array.from({ length: batch * length }, (_, i) => (i % 7 < 3 ? 0 : 1));
  const mask = withMask ? tf.tensor2d(padding, [batch, length]) : undefined;
  return lightningWithGradients({ shape, slopes, mask, withState, seed: 0 });
}

/** `bits` 0: float32. */
function weight(rows: number, columns: number, bits: 0 | 4 | 8, seed: number): tf.Tensor {
  const values = normal([rows, columns], seed);
  if (bits === 0) return values;
  return quantized(values, bits);
}

function mixture(tokens: number, count: number, k: number, bits: 0 | 4 | 8): tf.Tensor[] {
  const experts = Array.from({ length: count }, (_, e) => ({
    gate: weight(64, 32, bits, 10 + e),
    up: weight(64, 32, bits, 30 + e),
    down: weight(32, 64, bits, 50 + e),
  }));
  const mix = (x: tf.Tensor, logits: tf.Tensor): tf.Tensor =>
    tf.mul(
      expertMixture(x as tf.Tensor2D, routeTopExperts(logits as tf.Tensor2D, k), experts),
      0.01,
    );
  const inputs = [normal([tokens, 32], 1), normal([tokens, count], 2)];
  return [mix(...(inputs as [tf.Tensor, tf.Tensor])), ...tf.grads(mix)(inputs)];
}

// Linked by `npm run setup:tensorflow`; without it these tests are reported as skipped.
describe.skipIf(!hasTensorFlow)(
  "with TensorFlow linked, its forms give what references give",
  () => {
    it.each<{ shape: RandomLightning["shape"]; withState: boolean; withMask: boolean }>([
      { shape: [2, 3, 1, 5], withState: true, withMask: false },
      { shape: [1, 2, 63, 8], withState: false, withMask: false },
      { shape: [2, 2, 64, 8], withState: true, withMask: false },
      { shape: [2, 3, 150, 20], withState: true, withMask: true },
      { shape: [1, 3, 200, 16], withState: false, withMask: false },
      // More blocks than are worked on at once, and a rest.
      { shape: [1, 2, 2500, 8], withState: true, withMask: false },
    ])("of lightning attention, %o", ({ shape, withState, withMask }) =>
      onTensorFlow(() => lightning(shape, withState, withMask)),
    );

    it("of a mixture of experts, for any tokens, experts, choices and weights", () =>
      fc.assert(
        fc.asyncProperty(
          fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 30, max: 90 })),
          fc.integer({ min: 2, max: 6 }),
          fc.integer({ min: 1, max: 3 }),
          fc.constantFrom(0 as const, 4 as const, 8 as const),
          (tokens, count, k, bits) =>
            onTensorFlow(() => mixture(tokens, count, Math.min(k, count), bits)),
        ),
        { numRuns: 25 },
      ));

    it.each([
      [1, 1],
      [2, 3],
    ])("of splitting heads, batch %i, %i parts", (batch, parts) =>
      onTensorFlow(() => {
        const x = normal([batch, 5, 4 * parts * 6], 1);
        const split = (input: tf.Tensor): tf.Tensor[] => splitHeads(input as tf.Tensor3D, 4, parts);
        const loss = (input: tf.Tensor): tf.Scalar =>
          tf.sum(tf.stack(split(input).map((part, i) => tf.mul(part, normal(part.shape, i + 1)))));
        return [...split(x), tf.grad(loss)(x)];
      }),
    );

    it("of softmax attention over more queries than one block has", () =>
      onTensorFlow(() => {
        const segments = [1, 2].map((seed) =>
          [300, 600].map((length) => normal([2, 2, length, 8], seed * length) as tf.Tensor4D),
        );
        const [keys, values] = segments as [tf.Tensor4D[], tf.Tensor4D[]];
        const mask = tf.tensor2d(
          Float32Array.from({ length: 1800 }, (_, i) => (i % 900 > 0 && i % 5 === 0 ? 0 : 1)),
          [2, 900],
        );
        const queries = normal([2, 4, 600, 8], 3) as tf.Tensor4D;
        return [softmaxAttention({ queries, keys, values, mask })];
      }));

    it("leaves no tensor behind", async () => {
      await selectBackend("tensorflow");
      const count = (): number => {
        tf.dispose(tf.tidy(() => mixture(40, 3, 2, 0)));
        tf.dispose(tf.tidy(() => lightning([1, 2, 200, 8], true, false)));
        return tf.memory().numTensors;
      };
      expect(count()).toBe(count());
    });
  },
);
