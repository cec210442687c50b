import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type * as tf from "@tensorflow/tfjs-core";
import { listOf } from "../tensor-lists.ts";
import type { WebGpuKernel } from "./register-fused.ts";
import { runShader, type Shader } from "./run-shader.ts";

const threads = 64;

/** A shader whose thread `index` has the number of a head's part, and its `place` among those of all parts. */
function headShader(name: string, statement: string): Shader<Record<string, never>> {
  return {
    name,
    threads,
    code: () => `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let token = index / uniforms.size % uniforms.length;
  let pair = index / uniforms.size / uniforms.length;
  let row = (pair / uniforms.heads * uniforms.length + token) * uniforms.heads + pair % uniforms.heads;
  let place = (row * uniforms.parts + uniforms.part) * uniforms.size + index % uniforms.size;
  ${statement}
}`,
  };
}

/** One part of each head of `[batch, length, heads, parts, size]` as `[batch, heads, length, size]`. */
const splitHeads = headShader("split-heads", "result[index] = x[place];");

const mergeHeads = headShader("merge-heads", "result[place] = x[index];");

/** The heads of one token stand one after another either way: the same numbers in another shape. */
function reshaped(backend: WebGPUBackend, x: tf.Tensor, shape: number[]): tf.TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, dtype: x.dtype, shape };
}

export const webGpuSplitHeads: WebGpuKernel = {
  name: "LevinSplitHeads",
  run: (backend, { x }, { heads, parts }: { heads: number; parts: number }) => {
    const [batch, length, width] = x!.shape as [number, number, number];
    const size = width / heads / parts;
    if (length === 1 && parts === 1) return [reshaped(backend, x!, [batch, heads, 1, size])];
    const count = x!.size / parts;
    return Array.from({ length: parts }, (_, part) =>
      runShader(backend, splitHeads, {
        variant: {},
        inputs: { x: x! },
        sizes: { count, heads, length, parts, part, size },
        output: { shape: [batch, heads, length, size] },
        workgroups: Math.ceil(count / threads),
      }),
    );
  },
};

export const webGpuMergeHeads: WebGpuKernel = {
  name: "LevinMergeHeads",
  run: (backend, inputs) => {
    const all = listOf(inputs, "parts");
    const [batch, heads, length, size] = all[0]!.shape as [number, number, number, number];
    const parts = all.length;
    const shape = [batch, length, heads * parts * size];
    if (length === 1 && parts === 1) return [reshaped(backend, all[0]!, shape)];
    let output: tf.TensorInfo | { shape: number[] } = { shape };
    all.forEach((x, part) => {
      output = runShader(backend, mergeHeads, {
        variant: {},
        inputs: { x },
        sizes: { count: x.size, heads, length, parts, part, size },
        output,
        workgroups: Math.ceil(x.size / threads),
      });
    });
    return [output as unknown as tf.TensorInfo];
  },
};
