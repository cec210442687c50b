import * as tf from "@tensorflow/tfjs-core";
import type { TensorFlowKernel } from "./register-tensorflow.ts";

/** The parts come first before they are taken apart, so that each is a view. */
export const splitHeadsByParts: TensorFlowKernel<{ heads: number; parts: number }> = {
  name: "LevinSplitHeads",
  compute: ({ x }, { heads, parts }) => {
    const [batch, length, width] = x!.shape as [number, number, number];
    const rows = tf.reshape(x!, [batch, length, heads, parts, width / heads / parts]);
    return tf.unstack(tf.transpose(rows, [3, 0, 2, 1, 4]));
  },
};
