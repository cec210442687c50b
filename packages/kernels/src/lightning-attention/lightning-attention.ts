import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";
import type { KernelInputs } from "../kernel.ts";
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

type Attributes = { slopes: number[]; blockSize: number; form: LightningForm };

const run = defineKernel<Attributes>({
  name: "LevinLightningAttention",
  reference: (inputs, attributes) => {
    const { output, state } = evaluate(inputs, attributes);
    return [output, state];
  },
  gradient: ([output, state], inputs, attributes) =>
    gradient(output as tf.Tensor4D, state as tf.Tensor4D, inputs, attributes),
});

function evaluate(inputs: KernelInputs, { slopes, blockSize, form }: Attributes): LightningOutputs {
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

/**
 * The backward pass is lightning attention again. The gradient of the queries runs forward with
 * values as keys; those of keys and values run backward in time, where the gradient of the state
 * obeys G_t = λ G_{t+1} + q_tᵀ do_t. The reversed pass decays once too often before it meets the
 * outgoing state, hence the division and, at the other end, the multiplication by λ.
 */
function gradient(
  outputGradient: tf.Tensor4D,
  stateGradient: tf.Tensor4D,
  inputs: KernelInputs,
  attributes: Attributes,
): KernelInputs {
  const { queries, keys, values, state, mask } = inputs as {
    [name: string]: tf.Tensor4D | undefined;
  } & { queries: tf.Tensor4D; keys: tf.Tensor4D; values: tf.Tensor4D };
  const attend = (
    q: tf.Tensor,
    k: tf.Tensor,
    v: tf.Tensor,
    initial: tf.Tensor | undefined,
    m: tf.Tensor | undefined,
  ): [tf.Tensor4D, tf.Tensor4D] =>
    run({ queries: q, keys: k, values: v, state: initial, mask: m }, attributes) as [
      tf.Tensor4D,
      tf.Tensor4D,
    ];
  const backward = (x: tf.Tensor4D): tf.Tensor4D => tf.reverse(x, 2);
  const backwardMask = mask && tf.reverse(mask as unknown as tf.Tensor2D, 1);
  const decay = tf.tensor4d(
    attributes.slopes.map((slope) => Math.exp(-slope)),
    [1, attributes.slopes.length, 1, 1],
  );
  const outgoing = tf.div(stateGradient, decay) as tf.Tensor4D;
  const [q, k, v, o] = [queries, keys, values, outputGradient].map(backward) as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
  ];
  const [queriesGradient] = attend(outputGradient, values, keys, state && swapLast(state), mask);
  const [valuesGradient, incoming] = attend(k, q, o, outgoing, backwardMask);
  const [keysGradient] = attend(v, o, q, swapLast(outgoing), backwardMask);
  return {
    queries: queriesGradient,
    keys: backward(keysGradient),
    values: backward(valuesGradient),
    ...(state && { state: tf.mul(incoming, decay) }),
  };
}

function swapLast(x: tf.Tensor4D): tf.Tensor4D {
  return tf.transpose(x, [0, 1, 3, 2]);
}

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
  const { queries, keys, values, slopes, state, mask, blockSize = defaultBlockSize } = options;
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
