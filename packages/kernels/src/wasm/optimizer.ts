import type * as tf from "@tensorflow/tfjs-core";
import { listOf } from "../tensor-lists.ts";
import type { AdamWFactors } from "../optimizer/adamw.ts";
import { floatBits, type FusedEngine } from "./fused-engine.ts";
import type { FusedKernel } from "./register-fused.ts";

/** Numbers that a thread handles at once: few enough to share out evenly. */
const blockSize = 8192;

/** AdamW over all parameters in one job, in place. */
export const fusedAdamW: FusedKernel = {
  name: "LevinAdamW",
  run: (engine, inputs, factors: AdamWFactors) => {
    const [parameters, gradients, first, second] = [
      "parameters",
      "gradients",
      "first",
      "second",
    ].map((name) => listOf(inputs, name)) as [tf.Tensor[], tf.Tensor[], tf.Tensor[], tf.Tensor[]];
    const outputs = [parameters, first, second].map((list) =>
      list.map((tensor) => engine.overwrite(tensor)),
    ) as [tf.TensorInfo[], tf.TensorInfo[], tf.TensorInfo[]];
    const shrinks = factors.shrinks.map(floatBits);
    const blocks = blocksOf(engine, [gradients, parameters, first, second, ...outputs]);
    const { keepFirst, addFirst, keepSecond, addSecond, unbias, epsilon, rate } = factors;
    engine.run("ADAMW", [
      blocks.length,
      ...[keepFirst, addFirst, keepSecond, addSecond, unbias, epsilon, rate].map(floatBits),
      ...blocks.flatMap(({ tensor, count, addresses }) => [count, shrinks[tensor]!, ...addresses]),
    ]);
    return outputs.flat();
  },
};

/** Sums of many tensors in one job, in place. */
export const fusedAccumulate: FusedKernel = {
  name: "LevinAccumulate",
  run: (engine, inputs) => {
    const [sums, addends] = [listOf(inputs, "sums"), listOf(inputs, "addends")];
    const outputs = sums.map((tensor) => engine.overwrite(tensor));
    const blocks = blocksOf(engine, [sums, addends, outputs]);
    engine.run("ACCUMULATE", [
      blocks.length,
      ...blocks.flatMap(({ count, addresses }) => [count, ...addresses]),
    ]);
    return outputs;
  },
};

/** Σ x² over many tensors in one job. */
export const fusedSumOfSquares: FusedKernel = {
  name: "LevinSumOfSquares",
  run: (engine, inputs) => {
    const sum = engine.output([]);
    const blocks = blocksOf(engine, [listOf(inputs, "tensors")]);
    const scratch = engine.scratch(8 * blocks.length);
    engine.run("SUM_OF_SQUARES", [
      ...[blocks.length, engine.address(sum), scratch],
      ...blocks.flatMap(({ count, addresses }) => [count, ...addresses]),
    ]);
    return [sum];
  },
};

/** The same piece of one tensor in each list. */
interface Block {
  tensor: number;
  count: number;
  addresses: number[];
}

function blocksOf(engine: FusedEngine, lists: readonly (readonly tf.TensorInfo[])[]): Block[] {
  return lists[0]!.flatMap(({ shape }, tensor) => {
    const size = shape.reduce((product, n) => product * n, 1);
    const addresses = lists.map((list) => engine.address(list[tensor]!));
    return Array.from({ length: Math.ceil(size / blockSize) }, (_, n) => ({
      tensor,
      count: Math.min(blockSize, size - n * blockSize),
      addresses: addresses.map((address) => address + 4 * n * blockSize),
    }));
  });
}
