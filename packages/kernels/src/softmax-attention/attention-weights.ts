import * as tf from "@tensorflow/tfjs-core";
import type { KernelInputs } from "../kernel.ts";
import type { SoftmaxAttributes } from "./softmax-attention.ts";

/** Added to the score of a hidden key: exp of it is 0, yet a row of only hidden keys stays finite. */
const hiddenScore = -1e30;

interface Gathered {
  queries: tf.Tensor4D;
  keys: tf.Tensor4D;
  values: tf.Tensor4D;
  mask: tf.Tensor2D | undefined;
}

/** The inputs with the segments of keys and of values joined. */
export function gather(inputs: KernelInputs, { segments }: SoftmaxAttributes): Gathered {
  const joined = (name: string): tf.Tensor4D =>
    segments === 1
      ? (inputs[`${name}.0`] as tf.Tensor4D)
      : tf.concat(
          Array.from({ length: segments }, (_, i) => inputs[`${name}.${i}`] as tf.Tensor4D),
          2,
        );
  return {
    queries: inputs["queries"] as tf.Tensor4D,
    keys: joined("keys"),
    values: joined("values"),
    mask: inputs["mask"] as tf.Tensor2D | undefined,
  };
}

/**
 * softmax(q kᵀ / √headDim + mask), `[batch, heads, rows, keys]`. The first query stands `fromEnd`
 * tokens before the end of the keys.
 */
export function attentionWeights(
  queries: tf.Tensor4D,
  keys: tf.Tensor4D,
  mask: tf.Tensor2D | undefined,
  fromEnd: number,
): tf.Tensor4D {
  const [batch, heads, rows, headDim] = queries.shape;
  const columns = keys.shape[2];
  const scaled = tf.mul(queries, 1 / Math.sqrt(headDim)) as tf.Tensor4D;
  let scores = tf.reshape(tf.matMul(group(scaled, keys.shape[1]), keys, false, true), [
    batch,
    heads,
    rows,
    columns,
  ]);
  if (fromEnd > 1) {
    const position = tf.range(columns - fromEnd, columns - fromEnd + rows);
    const future = tf.greater(tf.expandDims(tf.range(0, columns), 0), tf.expandDims(position, 1));
    scores = tf.add(scores, tf.mul(tf.cast(future, "float32"), hiddenScore));
  }
  if (mask) {
    const padding = tf.mul(tf.sub(1, mask), hiddenScore);
    scores = tf.add(scores, tf.reshape(padding, [batch, 1, 1, columns]));
  }
  return tf.softmax(scores as tf.Tensor4D);
}

/** `[batch, heads, rows, n]` → `[batch, kvHeads, heads/kvHeads · rows, n]`: heads of a group stack. */
export function group(x: tf.Tensor4D, kvHeads: number): tf.Tensor4D {
  const [batch, , , width] = x.shape;
  return tf.reshape(x, [batch, kvHeads, -1, width]);
}

/** The inverse of {@link group}. */
export function ungroup(x: tf.Tensor, shape: [number, number, number, number]): tf.Tensor4D {
  return tf.reshape(x, shape);
}
