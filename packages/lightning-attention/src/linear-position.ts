import * as tf from "@tensorflow/tfjs-core";
import { sineAndCosine } from "./sine-and-cosine.ts";

/** Queries, keys and values, each `[batch, heads, length, headDim]`. */
export interface AttentionHeads {
  queries: tf.Tensor4D;
  keys: tf.Tensor4D;
  values: tf.Tensor4D;
}

/**
 * Linearised relative positional encoding, LRPE (TransNormerLLM, arXiv 2307.14995, section 3.1): the
 * weight of a key at distance t is Σ_d q_d k_d cos(θ_d t). By cos(a − b) = cos a cos b + sin a sin b that
 * is the sum of two heads without positions, whose queries and keys carry cosines and sines.
 *
 * @param theta `[heads, 1, headDim]`
 * @param positions rows of absolute positions, `[batch][length]`; one row serves a whole batch
 * @returns twice as many heads: cosines, then sines; their outputs are to be added
 */
export function withLinearPositions(
  { queries, keys, values }: AttentionHeads,
  theta: tf.Tensor,
  positions: readonly (readonly number[])[],
): AttentionHeads {
  const length = queries.shape[2];
  const angles = tf.mul(
    tf.expandDims(theta, 0),
    tf.tensor4d(positions.flat(), [positions.length, 1, length, 1]),
  );
  const { sine, cosine } = sineAndCosine(angles);
  const both = (x: tf.Tensor4D): tf.Tensor4D => tf.concat([tf.mul(x, cosine), tf.mul(x, sine)], 1);
  return { queries: both(queries), keys: both(keys), values: tf.concat([values, values], 1) };
}

/** The sum of the two halves of the heads. */
export function sumOfHalves(output: tf.Tensor4D): tf.Tensor4D {
  const [cosines, sines] = tf.split(output, 2, 1) as [tf.Tensor4D, tf.Tensor4D];
  return tf.add(cosines, sines);
}
