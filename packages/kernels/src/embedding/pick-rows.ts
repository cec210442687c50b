import * as tf from "@tensorflow/tfjs-core";
import { embedding } from "./embedding.ts";

/**
 * Rows of a tensor, by the kernel that looks up embeddings: it copies each as a whole, where tfjs's
 * own gather on wasm goes from number to number.
 *
 * @param x float32, `[batch, …]`
 * @param rows each in `0..batch-1`, in any order
 * @returns `[rows, …]`
 */
export function pickRows(x: tf.Tensor, rows: readonly number[]): tf.Tensor {
  return tf.tidy(() => {
    const ids = tf.tensor2d([...rows], [1, rows.length], "int32");
    const picked = embedding(ids, tf.reshape(x, [x.shape[0]!, -1]));
    return tf.reshape(picked, [rows.length, ...x.shape.slice(1)]);
  });
}
