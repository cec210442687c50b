import * as tf from "@tensorflow/tfjs-core";
import { blockDecay } from "./decay.ts";

/** What every form of lightning attention reads; shapes as in {@link lightningAttention}. */
export interface LightningInputs {
  queries: tf.Tensor4D;
  keys: tf.Tensor4D;
  values: tf.Tensor4D;
  slopes: number[];
  state?: tf.Tensor4D | undefined;
  mask?: tf.Tensor2D | undefined;
}

/** `output` `[batch, heads, length, headDim]` and the state after the last token. */
export interface LightningOutputs {
  output: tf.Tensor4D;
  state: tf.Tensor4D;
}

/** S_t = λ S_{t−1} + k_tᵀ v_t;  o_t = q_t S_t  (SPEC 6.3), token by token: the definition. */
export function recurrentForm(inputs: LightningInputs): LightningOutputs {
  const { queries, keys, values, slopes, mask } = inputs;
  const [batch, heads, length, headDim] = queries.shape;
  const decay = tf.tensor4d(
    slopes.map((slope) => Math.exp(-slope)),
    [1, heads, 1, 1],
  );
  let state = inputs.state ?? tf.zeros<tf.Rank.R4>([batch, heads, headDim, headDim]);
  const outputs: tf.Tensor4D[] = [];
  for (let t = 0; t < length; t++) {
    const at = (x: tf.Tensor4D): tf.Tensor4D =>
      length === 1 ? x : tf.slice4d(x, [0, 0, t, 0], [batch, heads, 1, headDim]);
    const key = tf.reshape(at(keys), [batch, heads, headDim, 1]);
    const next = tf.add(tf.mul(state, decay), tf.mul(key, at(values))) as tf.Tensor4D;
    if (mask) {
      const real = tf.reshape(tf.slice2d(mask, [0, t], [batch, 1]), [batch, 1, 1, 1]);
      state = tf.where(tf.cast(real, "bool"), next, state);
      outputs.push(tf.mul(tf.matMul(at(queries), state), real));
    } else {
      state = next;
      outputs.push(tf.matMul(at(queries), state) as tf.Tensor4D);
    }
  }
  return { output: length === 1 ? outputs[0]! : tf.concat(outputs, 2), state };
}

/** ((Q Kᵀ) ⊙ D) V over all tokens at once (SPEC 6.4 with one block): quadratic in the length. */
export function quadraticForm(inputs: LightningInputs): LightningOutputs {
  const { queries, keys, values, slopes, state, mask } = inputs;
  const decay = blockDecay(slopes, queries.shape[2], mask);
  const scores = tf.mul(tf.matMul(queries, keys, false, true), decay.between);
  let output = tf.matMul(scores, values) as tf.Tensor4D;
  let next = tf.matMul(tf.mul(keys, decay.toState), values, true, false) as tf.Tensor4D;
  if (state) {
    output = tf.add(output, tf.matMul(tf.mul(queries, decay.fromState), state));
    next = tf.add(next, tf.mul(state, decay.across));
  }
  if (mask) output = tf.mul(output, tf.expandDims(tf.expandDims(mask, 1), 3));
  return { output, state: next };
}

/** The quadratic form inside blocks, the state between them (SPEC 6.4): linear in the length. */
export function chunkedForm(inputs: LightningInputs, blockSize: number): LightningOutputs {
  const [batch, heads, length, headDim] = inputs.queries.shape;
  if (length <= blockSize) return quadraticForm(inputs);
  let { state } = inputs;
  const outputs: tf.Tensor4D[] = [];
  for (let start = 0; start < length; start += blockSize) {
    const size = Math.min(blockSize, length - start);
    const block = (x: tf.Tensor4D): tf.Tensor4D =>
      tf.slice4d(x, [0, 0, start, 0], [batch, heads, size, headDim]);
    const result = quadraticForm({
      queries: block(inputs.queries),
      keys: block(inputs.keys),
      values: block(inputs.values),
      slopes: inputs.slopes,
      state,
      mask: inputs.mask && tf.slice2d(inputs.mask, [0, start], [batch, size]),
    });
    outputs.push(result.output);
    state = result.state;
  }
  return { output: tf.concat(outputs, 2), state: state! };
}
