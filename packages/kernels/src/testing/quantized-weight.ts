import * as tf from "@tensorflow/tfjs-core";
import { quantize, quantizedWords, type QuantizedBits } from "../index.ts";

/** A weight `[rows, columns]` as quantised blocks. */
export function quantized(values: tf.Tensor, bits: QuantizedBits): tf.Tensor {
  const [rows, columns] = values.shape as [number, number];
  const words = quantize(values.dataSync() as Float32Array, [rows, columns], bits);
  return tf.tensor(words, [rows, quantizedWords(columns, bits)], "int32");
}
