import * as tf from "@tensorflow/tfjs-core";
import { namedInputs, type KernelInputs } from "../kernel.ts";
import { FusedEngine, type FusedEngineOptions } from "./fused-engine.ts";
import { fusedExpertMixture, fusedExpertMixtureGradient } from "./expert-mixture.ts";
import { fusedMatrixProduct } from "./matrix-product.ts";

/** A kernel on the wasm backend: reads tensors in place, returns new ones. */
export interface FusedKernel {
  /** Name of the kernel whose reference it replaces. */
  name: string;
  run: (engine: FusedEngine, inputs: KernelInputs, attributes: never) => tf.TensorInfo[];
}

const fusedKernels: readonly FusedKernel[] = [
  fusedMatrixProduct,
  fusedExpertMixture,
  fusedExpertMixtureGradient,
];

/** Makes the fused kernels those of the current wasm backend. */
export function registerFusedKernels(options: FusedEngineOptions): void {
  const engine = new FusedEngine(options);
  for (const { name, run } of fusedKernels) {
    tf.registerKernel({
      kernelName: name,
      backendName: "wasm",
      kernelFunc: ({ inputs, attrs }) =>
        run(engine, namedInputs(Object.values(inputs) as tf.Tensor[], attrs), attrs as never),
    });
  }
}
