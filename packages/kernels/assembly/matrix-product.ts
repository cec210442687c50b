// C = A · B over all threads: the job behind projections and their gradients.

import { sumOfLanes } from "./elementwise";
import { multiply, PACKING_BYTES, TILE_COLUMNS, TILE_ROWS, multiplyAdd } from "./gemm";
import { shareStart } from "./threads";

/** Fewer rows than this are multiplied as dot products: packing would cost more than it saves. */
const FEW_ROWS: i32 = 4;

/** Arguments of {@link matrixProduct}, as laid out by the host: 4 bytes each. */
@unmanaged
class MatrixProduct {
  rows: i32;
  columns: i32;
  depth: i32;
  a: usize;
  aRow: i32;
  aDepth: i32;
  b: usize;
  bDepth: i32;
  bColumn: i32;
  c: usize;
  scratch: usize;
}

/** C[rows, columns] = A[rows, depth] · B[depth, columns], all strides in elements, C contiguous. */
export function matrixProduct(args: usize, thread: i32, threads: i32): void {
  const job = changetype<MatrixProduct>(args);
  if (job.rows <= FEW_ROWS && job.aDepth == 1 && job.bDepth == 1) {
    const first = shareStart(job.columns, thread, threads);
    const last = shareStart(job.columns, thread + 1, threads);
    for (let row = 0; row < job.rows; row++) {
      const x = job.a + ((<usize>(row * job.aRow)) << 2);
      const y = job.c + ((<usize>(row * job.columns)) << 2);
      dotProducts(first, last, job.depth, x, job.b, job.bColumn, y);
    }
    return;
  }
  const scratch = job.scratch + <usize>thread * PACKING_BYTES;
  // Shares are whole tiles, and of the longer side, so that each thread packs little twice.
  const byRows = job.rows >= job.columns;
  const tileSize = byRows ? TILE_ROWS : TILE_COLUMNS;
  const size = byRows ? job.rows : job.columns;
  const tiles = (size + tileSize - 1) / tileSize;
  const first = shareStart(tiles, thread, threads) * tileSize;
  const last = min(size, shareStart(tiles, thread + 1, threads) * tileSize);
  if (first >= last) return;
  const row = byRows ? first : 0;
  const column = byRows ? 0 : first;
  multiply(
    byRows ? last - first : job.rows,
    byRows ? job.columns : last - first,
    job.depth,
    job.a + ((<usize>(row * job.aRow)) << 2),
    job.aRow,
    job.aDepth,
    job.b + ((<usize>(column * job.bColumn)) << 2),
    job.bDepth,
    job.bColumn,
    job.c + ((<usize>(row * job.columns + column)) << 2),
    job.columns,
    false,
    scratch,
  );
}

/** y[n] = x · weight[n] for n in first..last−1; rows of `weight` are `stride` elements apart. */
export function dotProducts(
  first: i32,
  last: i32,
  depth: i32,
  x: usize,
  weight: usize,
  stride: i32,
  y: usize,
): void {
  const rowBytes = (<usize>stride) << 2;
  const whole = (<usize>(depth & ~3)) << 2;
  const end = (<usize>depth) << 2;
  let n = first;
  let row = weight + <usize>first * rowBytes;
  for (; n + 4 <= last; n += 4) {
    let s0 = f32x4.splat(0),
      s1 = f32x4.splat(0),
      s2 = f32x4.splat(0),
      s3 = f32x4.splat(0);
    const r1 = row + rowBytes;
    const r2 = r1 + rowBytes;
    const r3 = r2 + rowBytes;
    for (let k: usize = 0; k < whole; k += 16) {
      const v = v128.load(x + k);
      s0 = multiplyAdd(v128.load(row + k), v, s0);
      s1 = multiplyAdd(v128.load(r1 + k), v, s1);
      s2 = multiplyAdd(v128.load(r2 + k), v, s2);
      s3 = multiplyAdd(v128.load(r3 + k), v, s3);
    }
    // Adds the four lanes of each sum by one transposition.
    const s01 = f32x4.add(
      v128.shuffle<i32>(s0, s1, 0, 4, 1, 5),
      v128.shuffle<i32>(s0, s1, 2, 6, 3, 7),
    );
    const s23 = f32x4.add(
      v128.shuffle<i32>(s2, s3, 0, 4, 1, 5),
      v128.shuffle<i32>(s2, s3, 2, 6, 3, 7),
    );
    let sums = f32x4.add(v128.shuffle<i64>(s01, s23, 0, 2), v128.shuffle<i64>(s01, s23, 1, 3));
    for (let k = whole; k < end; k += 4) {
      let column = f32x4.splat(load<f32>(row + k));
      column = f32x4.replace_lane(column, 1, load<f32>(r1 + k));
      column = f32x4.replace_lane(column, 2, load<f32>(r2 + k));
      column = f32x4.replace_lane(column, 3, load<f32>(r3 + k));
      sums = multiplyAdd(column, v128.load_splat<f32>(x + k), sums);
    }
    v128.store(y + ((<usize>n) << 2), sums);
    row = r3 + rowBytes;
  }
  for (; n < last; n++) {
    store<f32>(y + ((<usize>n) << 2), dot(x, row, depth));
    row += rowBytes;
  }
}

/** Σ x[k] · w[k]. */
export function dot(x: usize, w: usize, depth: i32): f32 {
  let sums = f32x4.splat(0);
  const whole = (<usize>(depth & ~3)) << 2;
  const end = (<usize>depth) << 2;
  for (let k: usize = 0; k < whole; k += 16) {
    sums = multiplyAdd(v128.load(x + k), v128.load(w + k), sums);
  }
  let sum = sumOfLanes(sums);
  for (let k = whole; k < end; k += 4) sum += load<f32>(x + k) * load<f32>(w + k);
  return sum;
}
