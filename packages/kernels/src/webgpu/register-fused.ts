import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { namedInputs, type KernelInputs } from "../kernel.ts";
import {
  webGpuScaledSum,
  webGpuSigmoidGate,
  webGpuSigmoidGateGradient,
  webGpuSilu,
  webGpuSiluGradient,
  toFloat,
} from "./elementwise.ts";
import { webGpuDequantize } from "./dequantize.ts";
import { webGpuEmbedding, webGpuEmbeddingGradient } from "./embedding.ts";
import { webGpuExpertMixture } from "./expert-mixture.ts";
import { webGpuExpertMixtureGradient } from "./expert-mixture-gradient.ts";
import { webGpuMergeHeads, webGpuSplitHeads } from "./heads.ts";
import { webGpuLightningAttention } from "./lightning-attention.ts";
import { webGpuLinear, webGpuMatrixProduct } from "./matrix-product.ts";
import { webGpuRmsNorm } from "./rms-norm.ts";
import { webGpuRotaryEmbedding } from "./rotary-embedding.ts";
import { webGpuRouteTopExperts } from "./route-top-experts.ts";
import { release } from "./run-shader.ts";
import { webGpuSoftmaxAttention } from "./softmax-attention.ts";

/** A kernel on the WebGPU backend: puts work into the GPU's queue, returns the tensors it will fill. */
export interface WebGpuKernel {
  /** Name of the kernel whose reference it replaces. */
  name: string;
  run: (backend: WebGPUBackend, inputs: KernelInputs, attributes: never) => tf.TensorInfo[];
}

const kernels: readonly WebGpuKernel[] = [
  webGpuLinear,
  webGpuMatrixProduct,
  webGpuDequantize,
  webGpuLightningAttention,
  webGpuSoftmaxAttention,
  webGpuExpertMixture,
  webGpuExpertMixtureGradient,
  webGpuRmsNorm,
  webGpuSilu,
  webGpuSiluGradient,
  webGpuSigmoidGate,
  webGpuSigmoidGateGradient,
  webGpuScaledSum,
  webGpuEmbedding,
  webGpuEmbeddingGradient,
  webGpuRotaryEmbedding,
  webGpuSplitHeads,
  webGpuMergeHeads,
  webGpuRouteTopExperts,
];

/** Makes the fused kernels those of the WebGPU backend. */
export function registerWebGpuKernels(): void {
  for (const { name, run } of kernels) {
    if (tf.getKernel(name, "webgpu") != null) continue;
    tf.registerKernel({
      kernelName: name,
      backendName: "webgpu",
      kernelFunc: ({ inputs, attrs, backend }) => {
        const gpu = backend as WebGPUBackend;
        const given = Object.values(inputs) as tf.Tensor[];
        const converted = given.map((tensor) => asDeclared(gpu, tensor));
        const outputs = run(gpu, namedInputs(converted, attrs), attrs as never);
        release(gpu, ...converted.filter((tensor, i) => tensor !== given[i]));
        return outputs;
      },
    });
  }
}

/** tfjs casts whole numbers to float32 by name only; shaders need the numbers themselves. */
function asDeclared(backend: WebGPUBackend, tensor: tf.Tensor): tf.Tensor {
  const { dataId, dtype, shape, size } = tensor;
  if (dtype !== "float32" || backend.tensorMap.get(dataId).dtype === "float32") return tensor;
  return { ...toFloat(backend, tensor), shape, size } as tf.Tensor;
}
