import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../kernel.ts";
import {
  QuantizationError,
  quantizedBlockSize,
  quantizedWords,
  weightKind,
  wordsPerBlock,
  type QuantizedBits,
} from "./block-layout.ts";

/**
 * The weights of a quantised matrix as float32 `[rows, columns]`.
 *
 * @param words int32 `[rows, quantizedWords(columns, bits)]`
 * @throws QuantizationError when there are more or fewer words
 */
export function dequantize(
  words: Int32Array,
  [rows, columns]: readonly [number, number],
  bits: QuantizedBits,
): Float32Array {
  const expected = rows * quantizedWords(columns, bits);
  if (words.length !== expected) {
    throw new QuantizationError(
      `quantised weights: expected ${expected} words for [${rows},${columns}], found ${words.length}`,
    );
  }
  const scales = new Float32Array(words.buffer, words.byteOffset, words.length);
  const values = new Float32Array(rows * columns);
  const width = wordsPerBlock(bits);
  for (let i = 0; i < values.length; i++) {
    const block = Math.floor(i / quantizedBlockSize) * width;
    values[i] = scales[block]! * wholeNumber(words, block + 1, i % quantizedBlockSize, bits);
  }
  return values;
}

/** q_k of the block whose weights start at word `first`. */
function wholeNumber(words: Int32Array, first: number, k: number, bits: QuantizedBits): number {
  if (bits === 8) return (words[first + (k >> 2)]! << (24 - 8 * (k & 3))) >> 24;
  const place = 16 * (k & 1) + 4 * (k >> 3);
  return (words[first + ((k & 7) >> 1)]! << (28 - place)) >> 28;
}

const runDequantize = defineKernel<{ columns: number }>({
  name: "LevinDequantize",
  reference: ({ weight }, { columns }) => {
    const shape: [number, number] = [weight!.shape[0]!, columns];
    const kind = weightKind("dequantize", weight!, shape) as QuantizedBits;
    return [tf.tensor2d(dequantize(weight!.dataSync() as Int32Array, shape, kind), shape)];
  },
});

/**
 * A weight `[out, columns]` of any kind as a float32 tensor: itself, or what its blocks stand for.
 * @throws KernelShapeError when it has another number of columns
 */
export function floatWeight(kernel: string, weight: tf.Tensor, columns: number): tf.Tensor2D {
  const kind = weightKind(kernel, weight, [weight.shape[0]!, columns]);
  if (kind === 0) return weight as tf.Tensor2D;
  return runDequantize({ weight }, { columns })[0] as tf.Tensor2D;
}
