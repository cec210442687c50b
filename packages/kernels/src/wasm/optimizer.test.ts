import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { accumulate, adamW, sumOfSquares } from "../index.ts";
import { selectBackend } from "../node.ts";
import { expectSameOnWasm, normal } from "../testing/both-backends.ts";

const shapes = fc.array(
  fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 60, max: 130 })), {
    maxLength: 2,
  }),
  { minLength: 1, maxLength: 12 },
);
const factors = {
  ...{ keepFirst: 0.9, addFirst: 0.07, keepSecond: 0.95, addSecond: 0.03 },
  ...{ unbias: 1.7, epsilon: 1e-15, rate: 0.01 },
};

describe("fused kernels on wasm give the numbers of their references on cpu", () => {
  it("adamW, bit for bit", () =>
    fc.assert(
      fc.asyncProperty(shapes, fc.integer({ min: 1, max: 1e6 }), (list, seed) =>
        expectSameOnWasm(() => {
          const tensors = (offset: number): tf.Tensor[] =>
            list.map((shape, i) => normal(shape, seed + offset + i));
          const next = adamW(
            {
              parameters: tensors(0),
              gradients: tensors(20),
              first: tensors(40),
              second: tensors(60).map((tensor) => tf.square(tensor)),
            },
            { ...factors, shrinks: list.map(({ length }) => (length > 1 ? 0.99 : 1)) },
          );
          return [...next.parameters, ...next.first, ...next.second];
        }, 0),
      ),
      { numRuns: 15 },
    ));

  it("accumulate, bit for bit, and sumOfSquares", () =>
    fc.assert(
      fc.asyncProperty(shapes, fc.integer({ min: 1, max: 1e6 }), async (list, seed) => {
        const tensors = (offset: number): tf.Tensor[] =>
          list.map((shape, i) => normal(shape, seed + offset + i));
        await expectSameOnWasm(() => accumulate(tensors(0), tensors(20)), 0);
        await expectSameOnWasm(() => [sumOfSquares(tensors(0))]);
      }),
      { numRuns: 15 },
    ));
});

describe("kernels that write in place on wasm", () => {
  beforeAll(() => selectBackend("wasm"));

  it("are seen by tfjs's own matrix product, which keeps packed copies", () => {
    const x = tf.tensor2d([[1, 2]]);
    const sum = tf.tensor2d([[3], [4]]);
    expect([...tf.matMul(x, sum).dataSync()]).toEqual([11]);
    const [next] = accumulate([sum], [tf.ones([2, 1])]);
    expect([...tf.matMul(x, next!).dataSync()]).toEqual([14]);
  });

  it("leave numbers alone that someone else holds", () => {
    const sum = tf.tensor1d([1, 2]);
    const other = tf.reshape(sum, [2, 1]);
    const [next] = accumulate([sum], [sum]);
    expect([...next!.dataSync()]).toEqual([2, 4]);
    expect([...other.dataSync()]).toEqual([1, 2]);
  });

  it("need no memory, and give back what they hold", () => {
    const before = tf.memory();
    const sum = tf.tensor1d([1, 2]);
    const addend = tf.tensor1d([3, 4]);
    const buffers = tf.memory().numDataBuffers;
    const [next] = accumulate([sum], [addend]);
    expect(tf.memory().numDataBuffers).toBe(buffers);
    tf.dispose([sum, addend]);
    expect([...next!.dataSync()]).toEqual([4, 6]);
    next!.dispose();
    expect(tf.memory()).toMatchObject({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
    });
  });
});
