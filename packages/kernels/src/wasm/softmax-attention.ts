import type * as tf from "@tensorflow/tfjs-core";
import type { KernelInputs } from "../kernel.ts";
import { differentiable, segmentNames } from "../softmax-attention/softmax-attention-gradient.ts";
import type { SoftmaxAttributes } from "../softmax-attention/softmax-attention.ts";
import { floatBits, type FusedEngine } from "./fused-engine.ts";
import type { FusedKernel } from "./register-fused.ts";
import { softmaxStepBytes, softmaxStepJob } from "./softmax-step.ts";

/** Rows of scores worked on at once: enough to repay packing the keys. */
const rowsAtOnce = 64;

/** Scores of one block at a time; one token takes a pass over the cache, cut among the threads. */
export const fusedSoftmaxAttention: FusedKernel = {
  name: "LevinSoftmaxAttention",
  run: (engine, inputs, { segments }: SoftmaxAttributes) => {
    const { queries, mask } = inputs as { queries: tf.Tensor; mask?: tf.Tensor };
    const sizes = sizesOf(inputs, segments);
    const { batch, kvHeads, group, length, headDim, keys } = sizes;
    const output = engine.output(queries.shape);
    const scale = floatBits(1 / Math.sqrt(headDim));
    if (length === 1) {
      const { kernel, args } = softmaxStepJob(
        engine,
        sizes,
        segmentNames("keys", segments).map((keysName, i) => ({
          keys: inputs[keysName]!,
          values: inputs[`values.${i}`]!,
        })),
        {
          ...{ queries: engine.address(queries), mask, output: engine.address(output) },
          work: engine.scratch(softmaxStepBytes(engine, sizes)),
        },
      );
      engine.run(kernel, args, batch * kvHeads * keys * headDim);
    } else {
      const tokens = Math.min(length, Math.max(1, Math.floor(rowsAtOnce / group)));
      const bytes = engine.call("softmaxAttentionBytes", group, tokens, keys, headDim);
      engine.run("SOFTMAX_ATTENTION", [
        ...[batch, kvHeads, group, length, headDim, keys, tokens, scale],
        ...engine.addresses([queries, mask, output]),
        ...[engine.scratch(bytes * engine.maxThreads), bytes, segments],
        ...segmentTable(engine, inputs, segments),
      ]);
    }
    return [output];
  },
};

/** All gradients in one job; the weights are computed again for one block of queries at a time. */
export const fusedSoftmaxAttentionGradient: FusedKernel = {
  name: "LevinSoftmaxAttentionGradient",
  run: (engine, inputs, attributes: SoftmaxAttributes) => {
    const { segments } = attributes;
    const { queries, mask, upstream } = inputs as Record<"queries" | "upstream", tf.Tensor> & {
      mask?: tf.Tensor;
    };
    const { batch, kvHeads, group, length, headDim, keys } = sizesOf(inputs, segments);
    const names = differentiable(attributes);
    const gradients = names.map((name) => engine.output(inputs[name]!.shape));
    const byName = Object.fromEntries(names.map((name, i) => [name, gradients[i]!]));
    // Blocks of fewer queries for many keys: the scores of a block should stay in cache.
    const rows = Math.max(rowsAtOnce / 4, Math.min(rowsAtOnce, 2 ** 16 / keys));
    const tokens = Math.min(length, Math.max(1, Math.floor(rows / group)));
    const pairs = batch * kvHeads;
    const parts = Math.min(Math.ceil(length / tokens), Math.ceil(engine.threads / pairs));
    const bytes = engine.call("softmaxGradientBytes", group, tokens, keys, headDim);
    const partialBytes = pairs * (parts - 1) * keys * headDim * 8;
    const scratch = engine.scratch(bytes * engine.maxThreads + partialBytes);
    engine.run("SOFTMAX_ATTENTION_GRADIENT", [
      ...[batch, kvHeads, group, length, headDim, keys, tokens, parts],
      floatBits(1 / Math.sqrt(headDim)),
      ...engine.addresses([queries, mask, upstream, byName["queries"]]),
      ...[scratch + bytes * engine.maxThreads, scratch, bytes, segments],
      ...segmentTable(engine, inputs, segments, byName),
    ]);
    return gradients;
  },
};

interface Sizes {
  batch: number;
  kvHeads: number;
  /** Query heads per key-value head. */
  group: number;
  length: number;
  headDim: number;
  /** Keys in all segments. */
  keys: number;
}

function sizesOf(inputs: KernelInputs, segments: number): Sizes {
  const [batch, heads, length, headDim] = inputs["queries"]!.shape as [
    number,
    number,
    number,
    number,
  ];
  const names = segmentNames("keys", segments);
  const kvHeads = inputs["keys.0"]!.shape[1]!;
  const keys = names.reduce((sum, name) => sum + inputs[name]!.shape[2]!, 0);
  return { batch, kvHeads, group: heads / kvHeads, length, headDim, keys };
}

/** Per segment its length and where its keys and values stand, in each of the given sets of tensors. */
function segmentTable(
  engine: FusedEngine,
  inputs: KernelInputs,
  segments: number,
  gradients?: Record<string, tf.TensorInfo>,
): number[] {
  return Array.from({ length: segments }, (_, i) => [
    inputs[`keys.${i}`]!.shape[2]!,
    ...engine.addresses([inputs[`keys.${i}`], inputs[`values.${i}`]]),
    ...(gradients ? engine.addresses([gradients[`keys.${i}`], gradients[`values.${i}`]]) : []),
  ]).flat();
}
