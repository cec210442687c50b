import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type * as tf from "@tensorflow/tfjs-core";
import type { LightningAttributes } from "../lightning-attention/lightning-attention.ts";
import {
  blockOutputs,
  blockScores,
  blockSize,
  blockStates,
  nextState,
  realCounts,
  statesBefore,
} from "./lightning-blocks.ts";
import { stepOutput, stepState } from "./lightning-step.ts";
import type { WebGpuKernel } from "./register-fused.ts";
import { release, runShader, type Shader, type ShaderCall } from "./run-shader.ts";

/** Whether there is a mask, an incoming state. */
export type LightningVariant = { masked: boolean; withState: boolean };

type LightningTensors = Record<"queries" | "keys" | "values", tf.Tensor> &
  Partial<Record<"state" | "mask", tf.Tensor>>;

/** One token takes two dispatches; more are worked through in blocks, all blocks at once but for the states between them. */
export const webGpuLightningAttention: WebGpuKernel = {
  name: "LevinLightningAttention",
  run: (backend, inputs, { slopes }: LightningAttributes) => {
    const tensors = inputs as LightningTensors;
    return tensors.queries.shape[2] === 1
      ? step(backend, tensors, slopes)
      : blocks(backend, tensors, slopes);
  },
};

/** Runs one of the shaders of a call: they share sizes, slopes and mask. */
function runner(
  backend: WebGPUBackend,
  { queries, state, mask }: LightningTensors,
  slopes: number[],
) {
  const [batch, heads, length, headDim] = queries.shape as [number, number, number, number];
  const blockCount = Math.ceil(length / blockSize);
  return <V extends LightningVariant>(
    shader: Shader<V>,
    inputs: Record<string, tf.TensorInfo>,
    output: number[],
    workgroups: number,
  ): tf.TensorInfo =>
    runShader(backend, shader, {
      variant: { masked: mask !== undefined, withState: state !== undefined },
      inputs,
      sizes: { pairs: batch * heads, heads, length, headDim, blocks: blockCount },
      lists: { slopes },
      output: { shape: output },
      workgroups,
    } as unknown as ShaderCall<V>);
}

function step(
  backend: WebGPUBackend,
  tensors: LightningTensors,
  slopes: number[],
): tf.TensorInfo[] {
  const { queries, keys, values, state, mask } = tensors;
  const [batch, heads, , headDim] = queries.shape as [number, number, number, number];
  const run = runner(backend, tensors, slopes);
  const pad = mask && { mask };
  const next = run(
    stepState,
    { keys, values, ...(state && { state }), ...pad },
    [batch, heads, headDim, headDim],
    Math.ceil((batch * heads * headDim * headDim) / stepState.threads),
  );
  const output = run(
    stepOutput,
    { queries, next, ...pad },
    queries.shape,
    Math.ceil(queries.size / stepOutput.threads),
  );
  return [output, next];
}

function blocks(
  backend: WebGPUBackend,
  tensors: LightningTensors,
  slopes: number[],
): tf.TensorInfo[] {
  const { queries, keys, values, state, mask } = tensors;
  const [batch, heads, length, headDim] = queries.shape as [number, number, number, number];
  const run = runner(backend, tensors, slopes);
  const [pairs, blockCount] = [batch * heads, Math.ceil(length / blockSize)];
  const square = headDim * headDim;
  const tiles = Math.ceil(headDim / 64);
  const counts =
    mask && run(realCounts, { mask }, [batch, length], Math.ceil((batch * blockCount) / 64));
  const pad = mask && { mask, counts: counts! };
  const initial = state && { state };

  const own = run(
    blockStates,
    { keys, values, ...pad },
    [pairs * blockCount * square],
    pairs * blockCount * tiles * tiles,
  );
  const scanGroups = Math.ceil((pairs * square) / 64);
  const totals = counts && { counts };
  const before = run(
    statesBefore,
    { own, ...initial, ...totals },
    [pairs * blockCount * square],
    scanGroups,
  );
  const next = run(
    nextState,
    { own, before, ...totals },
    [batch, heads, headDim, headDim],
    scanGroups,
  );
  const scores = run(
    blockScores,
    { queries, keys, ...pad },
    [pairs * blockCount * blockSize * blockSize],
    pairs * blockCount,
  );
  const output = run(
    blockOutputs,
    { queries, values, scores, before, ...pad },
    queries.shape,
    pairs * blockCount * tiles,
  );
  release(backend, own, before, scores, ...(counts ? [counts] : []));
  return [output, next];
}
