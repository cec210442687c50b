import type { MatrixProductAttributes } from "../linear/matrix-product.ts";
import { weightKind } from "../quantized/block-layout.ts";
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
    const rowBytes = kind === 0 ? 0 : engine.maxThreads * engine.call("readyRowBytes", depth);
    const c = engine.output([rows, columns]);
    const { packing, extra } = engine.packingScratch(rowBytes);
    engine.run("MATRIX_PRODUCT", [
      ...[rows, columns, depth],
      ...[engine.address(a!), ...(transposeA ? [1, aColumns] : [aColumns, 1])],
      ...[engine.address(b!), ...(transposeB ? [1, bColumns] : [bColumns, 1])],
      ...[engine.address(c), packing, kind, extra],
    ]);
    return [c];
  },
};
