import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";
import type { KernelInputs, RunKernel } from "../kernel.ts";
import { differentiable, lightningAttentionGradient } from "./lightning-attention-gradient.ts";
import {
  chunkedForm,
  quadraticForm,
  recurrentForm,
  type LightningInputs,
  type LightningOutputs,
} from "./forms.ts";

/** How to evaluate the same mathematics: token by token, in blocks, or all at once. */
export type LightningForm = "recurrent" | "chunked" | "quadratic";

/** Tokens per block of the chunked form, as in the published code. */
export const defaultBlockSize = 256;

export type LightningAttributes = { slopes: number[]; blockSize: number; form: LightningForm };

/** Fused forms choose blocks of their own and ignore `blockSize` and `form`: all agree. */
const run: RunKernel<LightningAttributes> = defineKernel({
  name: "LevinLightningAttention",
  reference: (inputs, attributes) => {
    const { output, state } = evaluate(inputs, attributes);
    return [output, state];
  },
  gradient: ([outputGradient, nextGradient], inputs, attributes) => {
    const gradients = runGradient({ ...inputs, outputGradient, nextGradient }, attributes);
    return Object.fromEntries(differentiable(inputs).map((name, i) => [name, gradients[i]!]));
  },
});

function evaluate(
  inputs: KernelInputs,
  { slopes, blockSize, form }: LightningAttributes,
): LightningOutputs {
  const all = { ...inputs, slopes } as unknown as LightningInputs;
  switch (form) {
    case "recurrent":
      return recurrentForm(all);
    case "quadratic":
      return quadraticForm(all);
    case "chunked":
      return chunkedForm(all, blockSize);
  }
}

const runGradient: RunKernel<LightningAttributes> = defineKernel({
  name: "LevinLightningAttentionGradient",
  reference: (inputs, attributes) => lightningAttentionGradient(run, inputs, attributes),
});

/** Arguments of {@link lightningAttention}. */
export interface LightningAttentionOptions extends LightningInputs {
  /** Tokens per block of the chunked form; default {@link defaultBlockSize}. */
  blockSize?: number;
  /** Default: recurrent for one token, chunked for more. */
  form?: LightningForm;
}

/**
 * Lightning attention: linear attention with a fixed exponential decay per head (paper section 2;
 * SPEC section 6). Per head S_t = e^{−s} S_{t−1} + k_tᵀ v_t and o_t = q_t S_t. All forms agree in
 * exact arithmetic. A padded token (mask 0) neither adds to nor decays the state, and outputs 0.
 *
 * @param options.queries `[batch, heads, length, headDim]`; keys and values alike
 * @param options.slopes decay rate s ≥ 0 of each head
 * @param options.state `[batch, heads, headDim, headDim]` (key axis first); absent: zero
 * @param options.mask `[batch, length]` float32, 1 for real tokens, 0 for padding
 * @throws KernelShapeError when shapes do not fit together
 */
export function lightningAttention(options: LightningAttentionOptions): LightningOutputs {
  const { queries, keys, values, slopes, state, blockSize = defaultBlockSize } = options;
  const mask = options.mask && tf.cast(options.mask, "float32");
  const [batch, heads, length, headDim] = queries.shape;
  const expectShape = (name: string, tensor: tf.Tensor | undefined, shape: number[]): void => {
    if (tensor && tensor.shape.join() !== shape.join()) {
      throw new KernelShapeError("lightningAttention", `${name} [${shape}]`, `[${tensor.shape}]`);
    }
  };
  expectShape("keys", keys, queries.shape);
  expectShape("values", values, queries.shape);
  expectShape("state", state, [batch, heads, headDim, headDim]);
  expectShape("mask", mask, [batch, length]);
  if (slopes.length !== heads || length === 0) {
    throw new KernelShapeError(
      "lightningAttention",
      `${heads} slopes and at least one token`,
      `${slopes.length} slopes and ${length} tokens`,
    );
  }
  const form = options.form ?? (length === 1 ? "recurrent" : "chunked");
  const [output, next] = run({ queries, keys, values, state, mask }, { slopes, blockSize, form });
  return { output: output as tf.Tensor4D, state: next as tf.Tensor4D };
}
