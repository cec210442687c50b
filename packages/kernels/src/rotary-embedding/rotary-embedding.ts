import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError, type RunKernel } from "../kernel.ts";

/** Where tokens are turned to: `rotaryDim` numbers of a head are, by angles that fall from 1 to 1/`base` per position. */
export interface RotaryOptions {
  rotaryDim: number;
  base: number;
}

/** Cosines and sines of the rotation angles, each `[batch or 1, 1, length, rotaryDim / 2]`. */
export interface RotaryAngles {
  cos: tf.Tensor4D;
  sin: tf.Tensor4D;
}

/**
 * Angles `position · base^(−2c / rotaryDim)` for `c = 0 .. rotaryDim/2 − 1` (SPEC 7.1).
 * Frequencies and angles are rounded to float32 as both reference implementations do.
 *
 * @param positions rows of absolute positions, `[batch][length]`; one row serves a whole batch
 */
export function rotaryAngles(
  positions: readonly (readonly number[])[],
  options: RotaryOptions,
): RotaryAngles {
  const { cos, sin } = rotaryAngleValues(positions.flat(), options);
  const length = positions[0]?.length ?? 0;
  const shape: [number, number, number, number] = [
    ...([positions.length, 1, length] as const),
    options.rotaryDim / 2,
  ];
  return { cos: tf.tensor4d(cos, shape), sin: tf.tensor4d(sin, shape) };
}

/** What {@link rotaryAngles} holds, as plain numbers: `[positions, rotaryDim / 2]` each. */
export function rotaryAngleValues(
  positions: readonly number[],
  { rotaryDim, base }: RotaryOptions,
): { cos: Float32Array; sin: Float32Array } {
  const half = rotaryDim / 2;
  const frequencies = Float32Array.from({ length: half }, (_, c) =>
    Math.fround(1 / Math.fround(base ** Math.fround((2 * c) / rotaryDim))),
  );
  const angles = new Float32Array(positions.length * half);
  positions.forEach((position, row) => {
    frequencies.forEach((frequency, c) => {
      angles[row * half + c] = position * frequency;
    });
  });
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
}

/** `direction` −1 turns the other way. */
const runRotaryEmbedding: RunKernel<{ direction: number }> = defineKernel<{ direction: number }>({
  name: "LevinRotaryEmbedding",
  reference: ({ x, cos, sin }, { direction }) => [
    rotate(x as tf.Tensor4D, cos!, direction === 1 ? sin! : tf.neg(sin!)),
  ],
  // A rotation is undone by the opposite angle.
  gradient: ([upstream], { cos, sin }, { direction }) => ({
    x: runRotaryEmbedding({ x: upstream, cos, sin }, { direction: -direction })[0]!,
  }),
});

/** Rotates pairs `(c, c + R/2)` of the first R dimensions; dimensions from R on pass through. */
function rotate(x: tf.Tensor4D, cos: tf.Tensor, sin: tf.Tensor): tf.Tensor4D {
  const half = cos.shape[3]!;
  const rest = x.shape[3] - 2 * half;
  const sizes = rest > 0 ? [half, half, rest] : [half, half];
  const [first, second, ...passed] = tf.split(x, sizes, 3) as [
    tf.Tensor4D,
    tf.Tensor4D,
    ...tf.Tensor4D[],
  ];
  const rotated = [
    tf.sub(tf.mul(first, cos), tf.mul(second, sin)),
    tf.add(tf.mul(second, cos), tf.mul(first, sin)),
  ] as tf.Tensor4D[];
  return tf.concat([...rotated, ...passed], 3);
}

/**
 * Rotary position embedding, half-split pairing, on the first `rotaryDim` dimensions (SPEC 7.1).
 *
 * @param x `[batch, heads, length, headDim]`
 * @param angles from {@link rotaryAngles} for the same length
 * @returns `[batch, heads, length, headDim]`
 * @throws KernelShapeError when the angles do not fit `x`
 */
export function rotaryEmbedding(x: tf.Tensor4D, { cos, sin }: RotaryAngles): tf.Tensor4D {
  const [rows, one, length, half] = cos.shape;
  const fits = (rows === 1 || rows === x.shape[0]) && one === 1 && length === x.shape[2];
  if (!fits || 2 * half > x.shape[3] || sin.shape.join() !== cos.shape.join()) {
    throw new KernelShapeError(
      "rotaryEmbedding",
      `angles [1 or ${x.shape[0]}, 1, ${x.shape[2]}, ≤ ${x.shape[3] / 2}]`,
      `[${cos.shape}] and [${sin.shape}]`,
    );
  }
  return runRotaryEmbedding({ x, cos, sin }, { direction: 1 })[0] as tf.Tensor4D;
}
