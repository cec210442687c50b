import * as tf from "@tensorflow/tfjs-core";

/** 2π in two parts, of which few digits of the first make its products with whole numbers exact. */
const turn = { coarse: 6.28125, fine: 2 * Math.PI - 6.28125 };

/** Of sin(x)/x and cos(x) in x², to a rounding error of float32 up to a quarter turn. */
const sineSeries = [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362_880, -1 / 39_916_800];
const cosineSeries = [1, -1 / 2, 1 / 24, -1 / 720, 1 / 40_320, -1 / 3_628_800, 1 / 479_001_600];

/**
 * Sine and cosine of angles of up to some thousand turns, as exact as float32 on every backend: WebGPU
 * guarantees three digits of its own, and those within half a turn only.
 */
export function sineAndCosine(angles: tf.Tensor): { sine: tf.Tensor; cosine: tf.Tensor } {
  const turns = tf.round(tf.div(angles, 2 * Math.PI));
  const rest = tf.sub(tf.sub(angles, tf.mul(turns, turn.coarse)), tf.mul(turns, turn.fine));
  const half = tf.div(rest, 2);
  const square = tf.square(half);
  const sineOfHalf = tf.mul(half, series(square, sineSeries));
  const cosineOfHalf = series(square, cosineSeries);
  return {
    sine: tf.mul(tf.mul(sineOfHalf, cosineOfHalf), 2),
    cosine: tf.sub(1, tf.mul(tf.square(sineOfHalf), 2)),
  };
}

/** Σ coefficients[i] · xⁱ. */
function series(x: tf.Tensor, coefficients: readonly number[]): tf.Tensor {
  return coefficients
    .slice(0, -1)
    .reduceRight<tf.Tensor>(
      (sum, coefficient) => tf.add(tf.mul(sum, x), coefficient),
      tf.fill(x.shape, coefficients.at(-1)!),
    );
}
