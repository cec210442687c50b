import type * as tf from "@tensorflow/tfjs-core";
import { floatBits, type FusedEngine, type Job } from "./fused-engine.ts";

/** Keys fewer than this are not worth a piece of work of their own. */
const keysPerPart = 256;
/** Pieces for all threads of a large machine: their number and not that of threads decides the rounding. */
const mostParts = 64;

export interface SoftmaxStepSizes {
  batch: number;
  kvHeads: number;
  /** Query heads per key-value head. */
  group: number;
  headDim: number;
  /** Keys in all segments. */
  keys: number;
}

/** Keys and values `[batch, kvHeads, length, headDim]`. */
export interface SoftmaxSegment {
  keys: tf.TensorInfo;
  values: tf.TensorInfo;
}

/** Memory of {@link softmaxStepJob}. */
export function softmaxStepBytes(engine: FusedEngine, sizes: SoftmaxStepSizes): number {
  const { batch, kvHeads, group, headDim } = sizes;
  const heads = batch * kvHeads * group;
  return engine.call("softmaxStepBytes", heads, partsOf(sizes), headDim, engine.maxThreads);
}

/** Softmax attention of one token of each row; `queries`, `output` and `work` are addresses. */
export function softmaxStepJob(
  engine: FusedEngine,
  sizes: SoftmaxStepSizes,
  segments: readonly SoftmaxSegment[],
  at: { queries: number; output: number; mask: tf.TensorInfo | undefined; work: number },
): Job {
  const { batch, kvHeads, group, headDim, keys } = sizes;
  return {
    kernel: "SOFTMAX_STEP",
    args: [
      ...[batch, kvHeads, group, headDim, keys, partsOf(sizes)],
      floatBits(1 / Math.sqrt(headDim)),
      ...[at.queries, ...engine.addresses([at.mask]), at.output, at.work, segments.length],
      ...segments.flatMap((s) => [s.keys.shape[2]!, ...engine.addresses([s.keys, s.values])]),
    ],
  };
}

function partsOf({ batch, kvHeads, keys }: SoftmaxStepSizes): number {
  const wanted = Math.ceil(mostParts / (batch * kvHeads));
  return Math.max(1, Math.min(wanted, Math.floor(keys / keysPerPart)));
}
