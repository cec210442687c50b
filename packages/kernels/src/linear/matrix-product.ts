import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../kernel.ts";
import { floatWeight } from "../quantized/dequantize.ts";

export type MatrixProductAttributes = { transposeA: boolean; transposeB: boolean };

/** A product of two matrices for use inside kernels, which bring their own gradients. */
const run = defineKernel<MatrixProductAttributes>({
  name: "LevinMatrixProduct",
  reference: ({ a, b }, { transposeA, transposeB }) => {
    const right = transposeB ? floatWeight("matrixProduct", b!, a!.shape[1]!) : (b as tf.Tensor2D);
    return [
      tf.getBackend() === "wasm"
        ? withoutTransposes(a as tf.Tensor2D, right, transposeA, transposeB)
        : tf.matMul(a!, right, transposeA, transposeB),
    ];
  },
});

/**
 * The stock wasm backend multiplies by XNNPACK only when neither operand is transposed, else by plain
 * loops that take about seven times as long; so there A Bᵀ is computed as (B Aᵀ)ᵀ.
 */
function withoutTransposes(
  a: tf.Tensor2D,
  b: tf.Tensor2D,
  transposeA: boolean,
  transposeB: boolean,
): tf.Tensor2D {
  const left = transposeA ? tf.transpose(a) : a;
  return transposeB ? tf.transpose(tf.matMul(b, tf.transpose(left))) : tf.matMul(left, b);
}

/** x · weightᵀ for `[rows, in]` and a weight `[out, in]` of any kind. */
export function project(x: tf.Tensor, weight: tf.Tensor): tf.Tensor2D {
  return run({ a: x, b: weight }, { transposeA: false, transposeB: true })[0] as tf.Tensor2D;
}

/** aᵀ · b for `[rows, n]` and `[rows, m]`: the gradient of a weight. */
export function outerSum(a: tf.Tensor, b: tf.Tensor): tf.Tensor2D {
  return run({ a, b }, { transposeA: true, transposeB: false })[0] as tf.Tensor2D;
}

/** y · weight for `[rows, out]` and float32 `[out, in]`: the gradient of a projection's input. */
export function projectBack(y: tf.Tensor, weight: tf.Tensor): tf.Tensor2D {
  return run({ a: y, b: weight }, { transposeA: false, transposeB: false })[0] as tf.Tensor2D;
}
