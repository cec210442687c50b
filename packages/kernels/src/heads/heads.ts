import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError, type RunKernel } from "../kernel.ts";
import { listInputs, listOf } from "../tensor-lists.ts";

type HeadAttributes = { heads: number; parts: number };

const runSplit: RunKernel<HeadAttributes> = defineKernel<HeadAttributes>({
  name: "LevinSplitHeads",
  reference: ({ x }, { heads, parts }) => {
    const [batch, length, width] = x!.shape as [number, number, number];
    const rows = tf.reshape(x!, [batch, length, heads, width / heads]);
    return tf.split(tf.transpose(rows, [0, 2, 1, 3]), parts, 3);
  },
  gradient: (upstream) => ({ x: merge(upstream) }),
});

const runMerge: RunKernel<Record<string, never>> = defineKernel<Record<string, never>>({
  name: "LevinMergeHeads",
  reference: (inputs) => {
    const joined = tf.concat(listOf(inputs, "parts"), 3);
    const [batch, heads, length, size] = joined.shape as [number, number, number, number];
    return [tf.reshape(tf.transpose(joined, [0, 2, 1, 3]), [batch, length, heads * size])];
  },
  gradient: ([upstream], inputs) => {
    const parts = listOf(inputs, "parts");
    return listInputs({
      parts: runSplit(
        { x: upstream },
        {
          heads: parts[0]!.shape[1]!,
          parts: parts.length,
        },
      ),
    });
  },
});

function merge(parts: readonly tf.Tensor[]): tf.Tensor {
  return runMerge(listInputs({ parts }), {})[0]!;
}

/**
 * Gives each head a matrix of its own.
 *
 * @param x `[batch, length, heads · parts · size]`; the parts of a head stand side by side
 * @param parts tensors that come out, such as three for queries, keys and values
 * @returns each `[batch, heads, length, size]`
 * @throws KernelShapeError when the last axis cannot be shared out evenly
 */
export function splitHeads(x: tf.Tensor3D, heads: number, parts = 1): tf.Tensor4D[] {
  if (x.rank !== 3 || x.shape[2] % (heads * parts) !== 0) {
    const expected = `[batch, length, ${heads} · ${parts} · size]`;
    throw new KernelShapeError("splitHeads", expected, `[${x.shape}]`);
  }
  return runSplit({ x }, { heads, parts }) as tf.Tensor4D[];
}

/** Undoes {@link splitHeads} for one part: `[batch, heads, length, size]` → `[batch, length, heads · size]`. */
export function mergeHeads(x: tf.Tensor4D): tf.Tensor3D {
  return merge([x]) as tf.Tensor3D;
}
