import * as tf from "@tensorflow/tfjs-core";
// Brings the gradients of the stock operations; tfjs-core alone has none.
import "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { lightningAttention } from "../index.ts";
import { selectBackend } from "../node.ts";
import { expectSameOnWasm, normal } from "../testing/both-backends.ts";
import { FusedEngine } from "./fused-engine.ts";
import { fusedLightningAttention, fusedLightningAttentionGradient } from "./lightning-attention.ts";
import { spawnNodeWorker } from "./node-threads.ts";
import type { FusedKernel } from "./register-fused.ts";

const tolerance = 1e-5;

/** 1 for real tokens; about a quarter is padding, whole blocks of it too. */
function padding(batch: number, length: number, seed: number): tf.Tensor2D {
  const run = 1 + (seed % 40);
  const values = Float32Array.from({ length: batch * length }, (_, i) =>
    (Math.floor(i / run) * (seed | 1)) % 4 === 0 ? 0 : 1,
  );
  return tf.tensor2d(values, [batch, length]);
}

interface LightningSizes {
  batch: number;
  heads: number;
  length: number;
  headDim: number;
  withState: boolean;
  withMask: boolean;
  seed: number;
}

/** Output, next state and all gradients for random upstream gradients of both. */
function lightning(p: LightningSizes): tf.Tensor[] {
  const { batch, heads, length, headDim, seed } = p;
  const shape = [batch, heads, length, headDim];
  const square = [batch, heads, headDim, headDim];
  const slopes = Array.from({ length: heads }, (_, head) => 2 ** -(head + (seed % 5)));
  const mask = p.withMask ? padding(batch, length, seed) : undefined;
  const inputs = [1, 2, 3].map((i) => normal(shape, seed + i));
  if (p.withState) inputs.push(normal(square, seed + 4));
  const attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, state?: tf.Tensor) =>
    lightningAttention({
      queries: q as tf.Tensor4D,
      keys: k as tf.Tensor4D,
      values: v as tf.Tensor4D,
      state: state as tf.Tensor4D | undefined,
      slopes,
      mask,
    });
  const { output, state } = attend(...(inputs as [tf.Tensor, tf.Tensor, tf.Tensor]));
  const loss = (...args: tf.Tensor[]): tf.Scalar => {
    const result = attend(...(args as [tf.Tensor, tf.Tensor, tf.Tensor]));
    return tf.add(
      tf.sum(tf.mul(result.output, normal(shape, seed + 5))),
      tf.sum(tf.mul(result.state, normal(square, seed + 6))),
    );
  };
  return [output, state, ...tf.grads(loss)(inputs)];
}

describe("fused lightning attention gives what its reference gives on cpu", () => {
  it("for any sizes, state and padding", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          batch: fc.integer({ min: 1, max: 2 }),
          heads: fc.integer({ min: 1, max: 3 }),
          length: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 150 })),
          headDim: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(16, 64)),
          withState: fc.boolean(),
          withMask: fc.boolean(),
          seed: fc.integer({ min: 1, max: 1e6 }),
        }),
        (p) => expectSameOnWasm(() => lightning(p), tolerance),
      ),
      { numRuns: 40 },
    ));

  it.each([
    { batch: 1, heads: 1, length: 1100, headDim: 64 },
    { batch: 1, heads: 2, length: 130, headDim: 128 },
  ])("for %o", (sizes) =>
    expectSameOnWasm(
      () => lightning({ ...sizes, withState: true, withMask: true, seed: 5 }),
      tolerance,
    ),
  );
});

describe("fused attention on one thread and on two", () => {
  let engines: FusedEngine[];
  beforeAll(async () => {
    await selectBackend("wasm");
    const one = new FusedEngine({ threads: 1, maySleep: true });
    const two = new FusedEngine({ threads: 2, maySleep: true, spawn: spawnNodeWorker });
    await vi.waitUntil(() => two.threads === 2);
    engines = [one, two];
  });

  const expectSame = (
    kernel: FusedKernel,
    inputs: Record<string, tf.Tensor>,
    attributes: object,
  ): void => {
    const [one, two] = engines.map((engine) =>
      kernel
        .run(engine, inputs, attributes as never)
        .map((result) => Float32Array.from(engine.floats(result))),
    );
    expect(two).toEqual(one);
  };

  it.each([1, 3])("lightning attention of %i heads", (heads) => {
    const shape = [1, heads, 77, 24];
    const square = [1, heads, 24, 24];
    const [queries, keys, values, outputGradient] = [1, 2, 3, 4].map((seed) =>
      normal(shape, seed),
    ) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const [state, nextGradient] = [normal(square, 5), normal(square, 6)];
    const attributes = { slopes: [0.3, 0.1, 0.01].slice(0, heads) };
    const forward = { queries, keys, values, state };
    expectSame(fusedLightningAttention, forward, attributes);
    expectSame(
      fusedLightningAttentionGradient,
      { ...forward, outputGradient, nextGradient },
      attributes,
    );
    const token = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, 0, 5, 0], [1, heads, 1, 24]);
    expectSame(
      fusedLightningAttention,
      { queries: token(queries), keys: token(keys), values: token(values), state },
      attributes,
    );
  });
});
