import type * as tf from "@tensorflow/tfjs-core";
import type { MatrixProductAttributes } from "../linear/matrix-product.ts";
import { weightKind } from "../quantized/block-layout.ts";
import type { FusedEngine } from "./fused-engine.ts";
import type { FusedKernel } from "./register-fused.ts";

/** A · B, either operand transposed, on all threads; a transposed B may be a quantised weight. */
export const fusedMatrixProduct: FusedKernel = {
  name: "LevinMatrixProduct",
  run: (engine, { a, b }, { transposeA, transposeB }: MatrixProductAttributes) => {
    const [aRows, aColumns] = a!.shape as [number, number];
    const [bRows, bColumns] = b!.shape as [number, number];
    const [rows, depth] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
    const columns = transposeB ? bRows : bColumns;
    const kind = transposeB ? weightKind("matrixProduct", b!, [bRows, depth]) : 0;
    const c = engine.output([rows, columns]);
    multiply(engine, [rows, columns, depth], {
      a: [engine.address(a!), ...(transposeA ? [1, aColumns] : [aColumns, 1])],
      b: [engine.address(b!), ...(transposeB ? [1, bColumns] : [bColumns, 1])],
      c,
      kind,
    });
    return [c];
  },
};

/** x · weightᵀ for any leading axes of x. */
export const fusedLinear: FusedKernel = {
  name: "LevinLinear",
  run: (engine, { x, weight }) => {
    const depth = x!.shape.at(-1)!;
    const [columns, words] = weight!.shape as [number, number];
    const c = engine.output([...x!.shape.slice(0, -1), columns]);
    multiply(engine, [x!.size / depth, columns, depth], {
      a: [engine.address(x!), depth, 1],
      b: [engine.address(weight!), 1, words],
      c,
      kind: weightKind("linear", weight!, [columns, depth]),
    });
    return [c];
  },
};

/** The job of `[rows, columns, depth]`; a and b are address, stride of rows and stride of columns. */
function multiply(
  engine: FusedEngine,
  sizes: [number, number, number],
  { a, b, c, kind }: { a: number[]; b: number[]; c: tf.TensorInfo; kind: number },
): void {
  const rowBytes = kind === 0 ? 0 : engine.maxThreads * engine.call("readyRowBytes", sizes[2]);
  const { packing, extra } = engine.packingScratch(rowBytes);
  engine.run("MATRIX_PRODUCT", [...sizes, ...a, ...b, engine.address(c), packing, kind, extra]);
}
