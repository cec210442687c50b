import * as tf from "@tensorflow/tfjs-core";
import {
  quadraticForm,
  recurrentForm,
  chunkedForm,
  type LightningInputs,
  type LightningOutputs,
} from "../lightning-attention/forms.ts";
import type { LightningAttributes } from "../lightning-attention/lightning-attention.ts";
import type { TensorFlowKernel } from "./register-tensorflow.ts";

/** Tokens per block: long blocks cost more in scores, short ones more in states. */
const blockSize = 64;
/** Blocks that are worked on at once: their states cost the square of their number. */
const mostBlocks = 32;

/** Each product is one for all blocks, that between the states of blocks too. */
export const lightningAttentionByBlocks: TensorFlowKernel<LightningAttributes> = {
  name: "LevinLightningAttention",
  compute: (tensors, { slopes }) => {
    const inputs = { ...tensors, slopes } as unknown as LightningInputs;
    const { output, state } = evaluate(inputs, inputs.queries.shape[2]);
    return [output, state];
  },
};

function evaluate(inputs: LightningInputs, length: number): LightningOutputs {
  if (length === 1) return recurrentForm(inputs);
  if (inputs.mask) return chunkedForm(inputs, blockSize);
  let { state } = inputs;
  const outputs: tf.Tensor4D[] = [];
  for (let start = 0; start < length;) {
    const blocks = Math.min(mostBlocks, Math.floor((length - start) / blockSize));
    const size = blocks > 0 ? blocks * blockSize : length - start;
    const part = { ...sliceTokens(inputs, start, size), state };
    const result = blocks > 0 ? blockwise(part, blocks) : quadraticForm(part);
    outputs.push(result.output);
    state = result.state;
    start += size;
  }
  return { output: outputs.length === 1 ? outputs[0]! : tf.concat(outputs, 2), state: state! };
}

function sliceTokens(inputs: LightningInputs, start: number, size: number): LightningInputs {
  const cut = (x: tf.Tensor4D): tf.Tensor4D => {
    const [batch, heads, , headDim] = x.shape;
    return tf.slice4d(x, [0, 0, start, 0], [batch, heads, size, headDim]);
  };
  const { queries, keys, values, slopes } = inputs;
  return { queries: cut(queries), keys: cut(keys), values: cut(values), slopes };
}

/**
 * Whole blocks of B tokens, indices j and a inside: with S_j = Σ_{i<j} λ^{B (j−1−i)} C_i + λ^{B j} S_0 and
 * C_i = Σ_a λ^{B−1−a} k_iaᵀ v_ia, the output is ((Q_j K_jᵀ) ⊙ D) V_j + λ^{a+1} Q_j S_j.
 */
function blockwise(inputs: LightningInputs, blocks: number): LightningOutputs {
  const { slopes } = inputs;
  const [batch, heads, length, headDim] = inputs.queries.shape;
  const shape = [batch, heads, blocks, blockSize, headDim];
  const [queries, keys, values] = [inputs.queries, inputs.keys, inputs.values].map((x) =>
    tf.reshape(x, shape),
  ) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const within = tf.mul(
    tf.matMul(queries, keys, false, true),
    tf.tensor(lowerDecay(slopes, blockSize), [1, heads, 1, blockSize, blockSize]),
  );
  const column = (distance: (token: number) => number): tf.Tensor =>
    tf.tensor(decayOf(slopes, blockSize, distance), [1, heads, 1, blockSize, 1]);
  const added = tf.matMul(
    tf.mul(
      keys,
      column((token) => blockSize - 1 - token),
    ),
    values,
    true,
    false,
  );
  const initial = inputs.state ?? tf.zeros([batch, heads, headDim, headDim]);
  const sources = tf.concat([tf.expandDims(initial, 2), added], 2);
  const across = tf.tensor4d(
    lowerDecay(
      slopes.map((slope) => slope * blockSize),
      blocks + 1,
    ),
    [1, heads, blocks + 1, blocks + 1],
  );
  const states = tf.matMul(across, tf.reshape(sources, [batch, heads, blocks + 1, -1]));
  const [before, last] = tf.split(states, [blocks, 1], 2) as [tf.Tensor, tf.Tensor];
  const output = tf.add(
    tf.matMul(within, values),
    tf.matMul(
      tf.mul(
        queries,
        column((token) => token + 1),
      ),
      tf.reshape(before, [batch, heads, blocks, headDim, headDim]),
    ),
  );
  return {
    output: tf.reshape(output, [batch, heads, length, headDim]) as tf.Tensor4D,
    state: tf.reshape(last, [batch, heads, headDim, headDim]) as tf.Tensor4D,
  };
}

/** exp(−s (a − b)) for a ≥ b, else 0: `[heads, size, size]`, rounded once from float64. */
function lowerDecay(slopes: readonly number[], size: number): Float32Array {
  const powers = decayOf(slopes, size, (distance) => distance);
  const table = new Float32Array(slopes.length * size * size);
  for (let row = 0; row < slopes.length * size; row++) {
    const a = row % size;
    const first = row - a;
    for (let b = 0; b <= a; b++) table[row * size + b] = powers[first + a - b]!;
  }
  return table;
}

/** exp(−s · distance(token)): `[heads, size]`. */
function decayOf(
  slopes: readonly number[],
  size: number,
  distance: (token: number) => number,
): Float32Array {
  return Float32Array.from({ length: slopes.length * size }, (_, i) =>
    Math.exp(-slopes[Math.floor(i / size)]! * distance(i % size)),
  );
}
