import type * as tf from "@tensorflow/tfjs-core";
import { KernelShapeError } from "../kernel.ts";

/*
 * Block-quantised weights. A matrix [out, in] is one int32 tensor [out, words]: each row is a sequence of
 * blocks of 32 weights, a block is a float32 scale d (its bits in the first word) and 32 whole numbers q,
 * and weight k is d · q_k, so that scale and weights are read in one stream.
 *
 *   8 bits: 9 words, q_k in byte k of the 32 bytes behind the scale (little-endian), −127..127.
 *   4 bits: 5 words; the eight 16-bit words behind the scale hold q_j, q_{8+j}, q_{16+j}, q_{24+j}, −8..7,
 *           from the lowest nibble of word j up.
 */

/** Weights that share a scale. */
export const quantizedBlockSize = 32;

/** Bits of a quantised weight. */
export type QuantizedBits = 8 | 4;

/** Raised when weights can't be quantised, or words are none of a quantised matrix. */
export class QuantizationError extends Error {
  override readonly name = "QuantizationError";
}

/** Words of one block: its scale, then its weights. */
export function wordsPerBlock(bits: QuantizedBits): number {
  return 1 + bits;
}

/** Whether rows of `columns` weights are whole blocks. */
export function isQuantizable(columns: number): boolean {
  return columns > 0 && columns % quantizedBlockSize === 0;
}

/**
 * Words of a row of `columns` quantised weights.
 * @throws QuantizationError when they are not whole blocks
 */
export function quantizedWords(columns: number, bits: QuantizedBits): number {
  if (!isQuantizable(columns)) {
    throw new QuantizationError(
      `quantised weights: expected rows of a multiple of ${quantizedBlockSize} weights, found ${columns}`,
    );
  }
  return (columns / quantizedBlockSize) * wordsPerBlock(bits);
}

/** Whether a weight is stored in quantised blocks: their words are int32, all other weights float32. */
export function isQuantized(weight: Pick<tf.TensorInfo, "dtype">): boolean {
  return weight.dtype === "int32";
}

/** Bits of a weight [out, in], or 0 for float32. */
export type WeightKind = 0 | QuantizedBits;

/**
 * The kind of a weight of the shape `[rows, columns]`.
 *
 * @throws KernelShapeError when the tensor holds no such weight
 */
export function weightKind(
  kernel: string,
  weight: Pick<tf.TensorInfo, "dtype" | "shape">,
  [rows, columns]: readonly [number, number],
): WeightKind {
  const { shape } = weight;
  if (shape.length === 2 && shape[0] === rows) {
    if (!isQuantized(weight)) {
      if (shape[1] === columns) return 0;
    } else if (isQuantizable(columns)) {
      if (shape[1] === quantizedWords(columns, 8)) return 8;
      if (shape[1] === quantizedWords(columns, 4)) return 4;
    }
  }
  const words = isQuantizable(columns)
    ? ` or int32 [${rows},${quantizedWords(columns, 8)}] or [${rows},${quantizedWords(columns, 4)}]`
    : "";
  throw new KernelShapeError(
    kernel,
    `weight [${rows},${columns}]${words}`,
    `${weight.dtype} [${shape}]`,
  );
}
