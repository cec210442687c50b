import * as tf from "@tensorflow/tfjs-core";
import { namedInputs, type KernelAttributes, type KernelInputs } from "../kernel.ts";
import { expertMixtureByGroups } from "./expert-mixture.ts";
import { splitHeadsByParts } from "./heads.ts";
import { lightningAttentionByBlocks } from "./lightning-attention.ts";

/** A kernel in the operations that TensorFlow is fast at. */
export interface TensorFlowKernel<Attributes extends KernelAttributes> {
  /** Name of the kernel whose reference it replaces. */
  name: string;
  compute: (inputs: KernelInputs, attributes: Attributes) => tf.Tensor[];
}

const kernels = [
  expertMixtureByGroups,
  lightningAttentionByBlocks,
  splitHeadsByParts,
] as readonly TensorFlowKernel<never>[];

/** Puts these kernels in the place of their references on the tensorflow backend. */
export function registerTensorFlowKernels(): void {
  for (const { name, compute } of kernels) {
    tf.registerKernel({
      kernelName: name,
      backendName: "tensorflow",
      kernelFunc: ({ inputs, attrs }) =>
        tf.tidy(() =>
          compute(namedInputs(Object.values(inputs) as tf.Tensor[], attrs), attrs as never),
        ),
    });
  }
}
