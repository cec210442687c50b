import type { MatrixProductAttributes } from "../linear/matrix-product.ts";
import { weightKind, type WeightKind } from "../quantized/block-layout.ts";
import type { FusedEngine, Job } from "./fused-engine.ts";
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
      c: engine.address(c),
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
      c: engine.address(c),
      kind: weightKind("linear", weight!, [columns, depth]),
    });
    return [c];
  },
};

/** Addresses and strides of rows and columns of the operands, and address of the result. */
interface MatrixProduct {
  a: number[];
  b: number[];
  c: number;
  /** Of a transposed B. */
  kind: WeightKind;
  /** {@link matrixProductBytes} of memory. */
  work: number;
}

/** Memory of {@link matrixProductJob}: for each thread packed blocks, and a few rows ready for quantised weights. */
export function matrixProductBytes(engine: FusedEngine, depth: number): number {
  const rowBytes = engine.call("readyRowsBytes", depth);
  return engine.maxThreads * (engine.call("packingBytes") + rowBytes);
}

/** The job of `[rows, columns, depth]`. */
export function matrixProductJob(
  engine: FusedEngine,
  sizes: [number, number, number],
  { a, b, c, kind, work }: MatrixProduct,
): Job {
  const ready = work + engine.maxThreads * engine.call("packingBytes");
  return { kernel: "MATRIX_PRODUCT", args: [...sizes, ...a, ...b, c, work, kind, ready] };
}

function multiply(
  engine: FusedEngine,
  sizes: [number, number, number],
  operands: Omit<MatrixProduct, "work">,
): void {
  const work = engine.scratch(matrixProductBytes(engine, sizes[2]));
  const { kernel, args } = matrixProductJob(engine, sizes, { ...operands, work });
  // A vector of four products takes no longer than a number of other kernels.
  engine.run(kernel, args, (sizes[0] * sizes[1] * sizes[2]) / 4);
}
