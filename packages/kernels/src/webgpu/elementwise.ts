import type * as tf from "@tensorflow/tfjs-core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { WebGpuKernel } from "./register-fused.ts";
import { runShader, type Shader } from "./run-shader.ts";
import { sigmoid } from "./snippets.ts";

const threads = 64;

/** A shader that computes each number of its output by `expression` of the numbers at `index`. */
function elementwise(name: string, expression: string): Shader<Record<string, never>> {
  return {
    name,
    threads,
    code: () => `${sigmoid}
fn main(index: i32) {
  if (index < uniforms.size) { result[index] = ${expression}; }
}`,
  };
}

function run(
  backend: WebGPUBackend,
  shader: Shader<Record<string, never>>,
  inputs: Record<string, tf.Tensor>,
  factors: Record<string, number> = {},
): tf.TensorInfo {
  const { shape, size } = Object.values(inputs)[0]!;
  const workgroups = Math.ceil(size / threads);
  const call = { inputs, sizes: { size }, factors, output: { shape }, workgroups };
  return runShader(backend, shader, { ...call, variant: {} });
}

const numbers = elementwise("to-float", "f32(x[index])");

/** The numbers of a tensor as float32. */
export function toFloat(backend: WebGPUBackend, x: tf.Tensor): tf.TensorInfo {
  return run(backend, numbers, { x });
}

const silu = elementwise("silu", "x[index] * sigmoid(x[index])");

const siluGradient = elementwise(
  "silu-gradient",
  "upstream[index] * sigmoid(x[index]) * (1.0 + x[index] * (1.0 - sigmoid(x[index])))",
);

const sigmoidGate = elementwise("sigmoid-gate", "x[index] * sigmoid(gate[index])");

const gateGradient = elementwise(
  "sigmoid-gate-gradient",
  "upstream[index] * x[index] * sigmoid(gate[index]) * (1.0 - sigmoid(gate[index]))",
);

const scaledSum = elementwise("scaled-sum", "uniforms.alpha * a[index] + uniforms.beta * b[index]");

const scaled = elementwise("scaled", "uniforms.alpha * a[index]");

export const webGpuSilu: WebGpuKernel = {
  name: "LevinSilu",
  run: (backend, { x }) => [run(backend, silu, { x: x! })],
};

export const webGpuSiluGradient: WebGpuKernel = {
  name: "LevinSiluGradient",
  run: (backend, { upstream, x }) => [run(backend, siluGradient, { upstream: upstream!, x: x! })],
};

export const webGpuSigmoidGate: WebGpuKernel = {
  name: "LevinSigmoidGate",
  run: (backend, { x, gate }) => [run(backend, sigmoidGate, { x: x!, gate: gate! })],
};

export const webGpuSigmoidGateGradient: WebGpuKernel = {
  name: "LevinSigmoidGateGradient",
  run: (backend, { upstream, x, gate }) => [
    run(backend, sigmoidGate, { x: upstream!, gate: gate! }),
    run(backend, gateGradient, { upstream: upstream!, x: x!, gate: gate! }),
  ],
};

/** α a + β b, or α a. */
export const webGpuScaledSum: WebGpuKernel = {
  name: "LevinScaledSum",
  run: (backend, { a, b }, { alpha, beta }: { alpha: number; beta: number }) => [
    b
      ? run(backend, scaledSum, { a: a!, b }, { alpha, beta })
      : run(backend, scaled, { a: a! }, { alpha }),
  ],
};
