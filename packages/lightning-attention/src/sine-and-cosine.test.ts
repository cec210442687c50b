import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { sineAndCosine } from "./sine-and-cosine.ts";

describe.each(["cpu", "wasm"])("sineAndCosine on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("is as exact as float32 for any angle of a long text", () => {
    fc.assert(
      fc.property(fc.float({ min: 0, max: 20_000, noNaN: true }), (angle) => {
        const { sine, cosine } = sineAndCosine(tf.scalar(angle));
        expect(Math.abs(sine.dataSync()[0]! - Math.sin(angle))).toBeLessThan(2e-6);
        expect(Math.abs(cosine.dataSync()[0]! - Math.cos(angle))).toBeLessThan(2e-6);
      }),
      { numRuns: 300 },
    );
  });

  it("has each other as gradients", () => {
    const angles = tf.tensor1d([-3, -0.5, 0, 1, 2.5, 100, 8191]);
    const ofSine = tf.grad((x) => sineAndCosine(x).sine)(angles);
    const { cosine } = sineAndCosine(angles);
    expect(tf.max(tf.abs(tf.sub(ofSine, cosine))).dataSync()[0]).toBeLessThan(1e-5);
  });
});
