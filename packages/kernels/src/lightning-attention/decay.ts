import * as tf from "@tensorflow/tfjs-core";

/**
 * Decay factors between the tokens of one block (SPEC 6.4). With p the number of real tokens up to
 * and including a token, only differences of p count, so padding neither adds nor decays.
 */
export interface BlockDecay {
  /** exp(−s (p_a − p_b)) for a ≥ b and b real, else 0: `[batch or 1, heads, length, length]`. */
  between: tf.Tensor4D;
  /** exp(−s p_a), from the incoming state to token a: `[batch or 1, heads, length, 1]`. */
  fromState: tf.Tensor4D;
  /** exp(−s (p_m − p_b)), from token b to the outgoing state, 0 for padding: like `fromState`. */
  toState: tf.Tensor4D;
  /** exp(−s p_m), from the incoming to the outgoing state: `[batch or 1, heads, 1, 1]`. */
  across: tf.Tensor4D;
}

/** Decay of a block of `length` tokens; `mask` is `[batch, length]`, 1 = real token. */
export function blockDecay(slopes: number[], length: number, mask?: tf.Tensor): BlockDecay {
  const powers = decayPowers(slopes, length);
  const { between, count, remaining } = mask ? maskedDistances(mask) : plainDistances(length);
  const total = mask ? tf.sum(mask, 1, true) : tf.tensor2d([[length]]);
  const look = (distance: tf.Tensor): tf.Tensor =>
    // [heads, batch, …] → [batch, heads, …]
    swapFirstAxes(tf.gather(powers, tf.cast(distance, "int32"), 1));
  const column = (distance: tf.Tensor): tf.Tensor4D =>
    tf.expandDims(look(distance), 3) as tf.Tensor4D;
  return {
    between: look(between) as tf.Tensor4D,
    fromState: column(count),
    toState: column(remaining),
    across: column(total),
  };
}

/**
 * `[heads, length + 2]`: column d holds exp(−s d), the last column 0 (no connection).
 * Computed in float64 and rounded once, as the specification asks.
 */
function decayPowers(slopes: number[], length: number): tf.Tensor2D {
  const width = length + 2;
  const values = new Float32Array(slopes.length * width);
  slopes.forEach((slope, head) => {
    for (let distance = 0; distance <= length; distance++) {
      values[head * width + distance] = Math.exp(-slope * distance);
    }
  });
  return tf.tensor2d(values, [slopes.length, width]);
}

interface Distances {
  between: tf.Tensor;
  count: tf.Tensor;
  remaining: tf.Tensor;
}

function plainDistances(length: number): Distances {
  const unconnected = length + 1;
  const between = new Int32Array(length * length);
  for (let a = 0; a < length; a++) {
    for (let b = 0; b < length; b++) between[a * length + b] = a >= b ? a - b : unconnected;
  }
  return {
    between: tf.tensor3d(between, [1, length, length], "int32"),
    count: tf.reshape(tf.range(1, length + 1), [1, length]),
    remaining: tf.reshape(tf.range(length - 1, -1, -1), [1, length]),
  };
}

function maskedDistances(mask: tf.Tensor): Distances {
  const length = mask.shape[1]!;
  const unconnected = length + 1;
  const count = tf.cumsum(mask, 1);
  const index = tf.range(0, length);
  const causal = tf.greaterEqual(tf.expandDims(index, 1), tf.expandDims(index, 0));
  const real = tf.cast(mask, "bool");
  const connected = tf.logicalAnd(tf.expandDims(causal, 0), tf.expandDims(real, 1));
  const distance = tf.sub(tf.expandDims(count, 2), tf.expandDims(count, 1));
  const last = tf.sum(mask, 1, true);
  return {
    between: tf.where(connected, distance, tf.fill(distance.shape, unconnected)),
    count,
    remaining: tf.where(real, tf.sub(last, count), tf.fill(count.shape, unconnected)),
  };
}

function swapFirstAxes(x: tf.Tensor): tf.Tensor {
  const rest = x.shape.slice(2).map((_, axis) => axis + 2);
  return tf.transpose(x, [1, 0, ...rest]);
}
