import type { MatrixProductAttributes } from "../linear/matrix-product.ts";
import type { FusedKernel } from "./register-fused.ts";

/** A · B, either operand transposed, on all threads. */
export const fusedMatrixProduct: FusedKernel = {
  name: "LevinMatrixProduct",
  run: (engine, { a, b }, { transposeA, transposeB }: MatrixProductAttributes) => {
    const [aRows, aColumns] = a!.shape as [number, number];
    const [bRows, bColumns] = b!.shape as [number, number];
    const [rows, depth] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
    const columns = transposeB ? bRows : bColumns;
    const c = engine.output([rows, columns]);
    engine.run("MATRIX_PRODUCT", [
      ...[rows, columns, depth],
      ...[engine.address(a!), ...(transposeA ? [1, aColumns] : [aColumns, 1])],
      ...[engine.address(b!), ...(transposeB ? [1, bColumns] : [bColumns, 1])],
      ...[engine.address(c), engine.packingScratch().packing],
    ]);
    return [c];
  },
};
