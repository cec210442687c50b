import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import type { SoftmaxAttributes } from "../softmax-attention/softmax-attention.ts";
import { listOf } from "../tensor-lists.ts";
import type { WebGpuKernel } from "./register-fused.ts";
import { release, runShader } from "./run-shader.ts";
import { attendRows, queryTile } from "./softmax-rows.ts";
import { attendPart, joinParts, partLength } from "./softmax-step.ts";

/** What shaders of softmax attention depend on. */
export type SoftmaxVariant = { segments: number; masked: boolean; headDim: number };

/** Up to so many queries the keys are shared out among workgroups; more queries share keys. */
const fewQueries = 4;

/** Keys are read where the cache has them, scores never leave the workgroup. */
export const webGpuSoftmaxAttention: WebGpuKernel = {
  name: "LevinSoftmaxAttention",
  run: (backend, inputs, { segments }: SoftmaxAttributes) => {
    const { queries, mask } = inputs as { queries: tf.Tensor } & { mask?: tf.Tensor };
    const { maxStorageBuffersPerShaderStage } = (backend.device as GPUDevice).limits;
    const [keys, values] = [listOf(inputs, "keys"), listOf(inputs, "values")];
    const room = maxStorageBuffersPerShaderStage - (mask ? 3 : 2);
    if (2 * segments <= room) return [attend(backend, queries, keys, values, mask)];
    return tf.tidy(() => [
      tf
        .engine()
        .makeTensorFromTensorInfo(
          attend(backend, queries, [tf.concat(keys, 2)], [tf.concat(values, 2)], mask),
        ),
    ]);
  },
};

function attend(
  backend: WebGPUBackend,
  queries: tf.Tensor,
  keys: readonly tf.Tensor[],
  values: readonly tf.Tensor[],
  mask: tf.Tensor | undefined,
): tf.TensorInfo {
  const [batch, heads, length, headDim] = queries.shape as [number, number, number, number];
  const total = keys.reduce((sum, { shape }) => sum + shape[2]!, 0);
  const pairs = batch * heads;
  const parts = Math.ceil(total / partLength);
  const call = {
    variant: { segments: keys.length, masked: mask !== undefined, headDim },
    inputs: { queries, ...(mask && { mask }), ...named("keys", keys), ...named("values", values) },
    sizes: {
      ...{
        pairs,
        heads,
        group: heads / keys[0]!.shape[1]!,
        queries: length,
        total,
        headDim,
        parts,
      },
      ...Object.fromEntries(keys.map(({ shape }, s) => [`length${s}`, shape[2]!])),
    },
    factors: { scale: 1 / Math.sqrt(headDim) },
  };
  if (length > fewQueries) {
    const workgroups = pairs * Math.ceil(length / queryTile);
    return runShader(backend, attendRows, {
      ...call,
      output: { shape: queries.shape },
      workgroups,
    });
  }
  const partial = runShader(backend, attendPart, {
    ...call,
    output: { shape: [pairs * length * parts, headDim + 2] },
    workgroups: pairs * length * parts,
  });
  const output = runShader(backend, joinParts, {
    variant: {},
    inputs: { partial },
    sizes: { count: queries.size, headDim, parts },
    output: { shape: queries.shape },
    workgroups: Math.ceil(queries.size / joinParts.threads),
  });
  release(backend, partial);
  return output;
}

function named(name: string, segments: readonly tf.Tensor[]): Record<string, tf.Tensor> {
  return Object.fromEntries(segments.map((segment, s) => [`${name}${s}`, segment]));
}
