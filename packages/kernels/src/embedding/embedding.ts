import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";

const runEmbedding = defineKernel<{ paddingId: number }>({
  name: "LevinEmbedding",
  reference: ({ ids, table }) => [tf.gather(table!, ids as tf.Tensor1D)],
  gradient: ([upstream], { ids, table }, { paddingId }) => ({
    table: runGradient({ upstream, ids, table }, { paddingId })[0]!,
  }),
});

const runGradient = defineKernel<{ paddingId: number }>({
  name: "LevinEmbeddingGradient",
  reference: ({ upstream, ids, table }, { paddingId }) => {
    // Summed on the host: not every backend has a segment sum.
    const [rows, width] = table!.shape as [number, number];
    const gradient = new Float32Array(rows * width);
    const incoming = upstream!.dataSync() as Float32Array;
    ids!.dataSync().forEach((id, position) => {
      if (id === paddingId) return;
      for (let i = 0; i < width; i++) {
        gradient[id * width + i]! += incoming[position * width + i]!;
      }
    });
    return [tf.tensor2d(gradient, [rows, width])];
  },
});

/**
 * Rows of an embedding table.
 *
 * @param ids `[batch, length]` int32, each in `0..vocab-1`
 * @param table `[vocab, hidden]`
 * @param paddingId a row that this look-up does not train, as PyTorch's `padding_idx`
 * @returns `[batch, length, hidden]`
 * @throws KernelShapeError when the ranks are wrong
 */
export function embedding(
  ids: tf.Tensor,
  table: tf.Tensor,
  paddingId: number | null = null,
): tf.Tensor3D {
  if (table.rank !== 2 || ids.rank !== 2 || ids.dtype !== "int32") {
    throw new KernelShapeError(
      "embedding",
      "int32 ids [batch, length] and table [vocab, hidden]",
      `${ids.dtype} [${ids.shape}] and [${table.shape}]`,
    );
  }
  return runEmbedding({ ids, table }, { paddingId: paddingId ?? -1 })[0] as tf.Tensor3D;
}
