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
import { release, runShader, type Shader } from "./run-shader.ts";

export type Masked = { masked: boolean };

/** Whether there is a mask, an incoming state. */
export type LightningVariant = Masked & { withState: boolean };

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
type RunLightning = <V extends Masked>(
  shader: Shader<V>,
  variant: Omit<V, "masked">,
  inputs: Record<string, tf.TensorInfo>,
  output: { shape: number[]; workgroups: number },
) => tf.TensorInfo;

function runner(
  backend: WebGPUBackend,
  { queries, mask }: LightningTensors,
  slopes: number[],
): RunLightning {
  const [batch, heads, length, headDim] = queries.shape as [number, number, number, number];
  const blockCount = Math.ceil(length / blockSize);
  return (shader, variant, inputs, { shape, workgroups }) =>
    runShader<Masked>(backend, shader as unknown as Shader<Masked>, {
      variant: { masked: mask !== undefined, ...variant },
      inputs,
      sizes: { pairs: batch * heads, heads, length, headDim, blocks: blockCount },
      lists: { slopes },
      output: { shape },
      workgroups,
    });
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
  const withState = state !== undefined;
  const next = run(
    stepState,
    { withState },
    { keys, values, ...(state && { state }), ...pad },
    {
      shape: [batch, heads, headDim, headDim],
      workgroups: Math.ceil((batch * heads * headDim * headDim) / stepState.threads),
    },
  );
  const workgroups = Math.ceil(queries.size / stepOutput.threads);
  const output = { shape: queries.shape, workgroups };
  return [run(stepOutput, {}, { queries, next, ...pad }, output), next];
}

function blocks(
  backend: WebGPUBackend,
  tensors: LightningTensors,
  slopes: number[],
): tf.TensorInfo[] {
  const { queries, keys, values, state, mask } = tensors;
  const [batch, heads, length, headDim] = queries.shape as [number, number, number, number];
  const run = runner(backend, tensors, slopes);
  const [perRow, square] = [Math.ceil(length / blockSize), headDim * headDim];
  const all = batch * heads * perRow;
  const tiles = Math.ceil(headDim / blockSize);
  const states = { shape: [all * square], workgroups: all * tiles * tiles };
  const scan = Math.ceil((batch * heads * square) / statesBefore.threads);
  const withState = state !== undefined;

  const rows = Math.ceil((batch * perRow) / realCounts.threads);
  const counts =
    mask && run(realCounts, {}, { mask }, { shape: [batch, length], workgroups: rows });
  const pad = mask && { mask, counts: counts! };
  const totals = counts && { counts };
  const own = run(blockStates, {}, { keys, values, ...pad }, states);
  const known = { own, ...(state && { state }), ...totals };
  const before = run(statesBefore, { withState }, known, { ...states, workgroups: scan });
  const after = { shape: [batch, heads, headDim, headDim], workgroups: scan };
  const next = run(nextState, {}, { own, before, ...totals }, after);
  const squares = { shape: [all * blockSize * blockSize], workgroups: all };
  const scores = run(blockScores, {}, { queries, keys, ...pad }, squares);
  const output = run(
    blockOutputs,
    {},
    { queries, values, scores, before, ...pad },
    { shape: queries.shape, workgroups: all * tiles },
  );
  release(backend, own, before, scores, ...(counts ? [counts] : []));
  return [output, next];
}
