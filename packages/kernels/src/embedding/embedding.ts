import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";

const runEmbedding = defineKernel<Record<string, never>>({
  name: "LevinEmbedding",
  reference: ({ ids, table }) => [tf.gather(table!, ids as tf.Tensor1D)],
  gradient: ([upstream], { ids, table }) => {
    // Summed on the host: not every backend has a segment sum.
    const [rows, width] = table!.shape as [number, number];
    const gradient = new Float32Array(rows * width);
    const incoming = upstream!.dataSync() as Float32Array;
    ids!.dataSync().forEach((id, position) => {
      for (let i = 0; i < width; i++) {
        gradient[id * width + i]! += incoming[position * width + i]!;
      }
    });
    return { table: tf.tensor2d(gradient, [rows, width]) };
  },
});

/**
 * Rows of an embedding table.
 *
 * @param ids `[batch, length]` int32, each in `0..vocab-1`
 * @param table `[vocab, hidden]`
 * @returns `[batch, length, hidden]`
 * @throws KernelShapeError when the ranks are wrong
 */
export function embedding(ids: tf.Tensor, table: tf.Tensor): tf.Tensor3D {
  if (table.rank !== 2 || ids.rank !== 2) {
    throw new KernelShapeError(
      "embedding",
      "ids [batch, length] and table [vocab, hidden]",
      `[${ids.shape}] and [${table.shape}]`,
    );
  }
  return runEmbedding({ ids, table }, {})[0] as tf.Tensor3D;
}
