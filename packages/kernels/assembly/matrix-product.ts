// C = A · B over all threads: the job behind projections and their gradients.

import { laneSums, loadSome, sumOfLanes } from "./elementwise";
import { multiply, PACKING_BYTES, TILE_COLUMNS, TILE_ROWS, multiplyAdd } from "./gemm";
import { weightBytes } from "./quantized-blocks";
import { shareStart } from "./threads";
import { readyRow, readyRowBytes, setAddress, weightProducts } from "./weight-products";

/** Fewer rows than this are multiplied as dot products: packing would cost more than it saves. */
const FEW_ROWS: i32 = 32;

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
  /** Kind of B when that is a weight [columns, depth], transposed; else 0. */
  kind: i32;
  /** Of each thread tables of {@link FEW_ROWS} rows and results and, for a quantised B, `readyRowBytes` of each row. */
  ready: usize;
}

/** Memory of one thread for few rows. */
export function readyRowsBytes(depth: i32): usize {
  return <usize>FEW_ROWS * (8 + readyRowBytes(depth));
}

/** C[rows, columns] = A[rows, depth] · B[depth, columns], all strides in elements, C contiguous. */
export function matrixProduct(args: usize, thread: i32, threads: i32): void {
  const job = changetype<MatrixProduct>(args);
  if (job.rows <= FEW_ROWS && job.aDepth == 1 && job.bDepth == 1 && (job.kind > 0 || job.bColumn == job.depth)) {
    const first = shareStart(job.columns, thread, threads);
    const last = shareStart(job.columns, thread + 1, threads);
    const own = job.ready + <usize>thread * readyRowsBytes(job.depth);
    const ys = own + ((<usize>FEW_ROWS) << 2);
    const rounded = ys + ((<usize>FEW_ROWS) << 2);
    for (let row = 0; row < job.rows; row++) {
      const x = job.a + ((<usize>(row * job.aRow)) << 2);
      setAddress(own, row, readyRow(x, job.depth, job.kind, rounded + <usize>row * readyRowBytes(job.depth)));
      setAddress(ys, row, job.c + ((<usize>(row * job.columns)) << 2));
    }
    weightProducts(job.rows, first, last, job.depth, own, job.b, job.kind, ys);
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
    job.b + (job.kind == 0 ? (<usize>(column * job.bColumn)) << 2 : <usize>column * weightBytes(job.kind, job.depth)),
    job.bDepth,
    job.bColumn,
    job.c + ((<usize>(row * job.columns + column)) << 2),
    job.columns,
    false,
    scratch,
    job.kind,
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
  let row = weight + <usize>first * rowBytes;
  // Row after row, as they lie in memory: four at once read it a third slower.
  for (let n = first; n < last; n++) {
    store<f32>(y + ((<usize>n) << 2), dot(x, row, depth));
    row += rowBytes;
  }
}

/** Σ x[k] · w[k]. */
export function dot(x: usize, w: usize, depth: i32): f32 {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  const end = x + ((<usize>depth) << 2);
  for (const sixteen = x + ((<usize>(depth & ~15)) << 2); x < sixteen; x += 64) {
    s0 = multiplyAdd(v128.load(x), v128.load(w), s0);
    s1 = multiplyAdd(v128.load(x, 16), v128.load(w, 16), s1);
    s2 = multiplyAdd(v128.load(x, 32), v128.load(w, 32), s2);
    s3 = multiplyAdd(v128.load(x, 48), v128.load(w, 48), s3);
    w += 64;
  }
  for (; x + 16 <= end; x += 16) {
    s0 = multiplyAdd(v128.load(x), v128.load(w), s0);
    w += 16;
  }
  let sum = sumOfLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (; x < end; x += 4) {
    sum += load<f32>(x) * load<f32>(w);
    w += 4;
  }
  return sum;
}

/** x · w of four rows x, whose addresses stand in a table; w is read once. */
export function fourDots(xs: usize, w: usize, depth: i32): v128 {
  let a = load<usize>(xs);
  let b = load<usize>(xs, 4);
  let c = load<usize>(xs, 8);
  let d = load<usize>(xs, 12);
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0);
  let b0 = f32x4.splat(0), b1 = f32x4.splat(0);
  let c0 = f32x4.splat(0), c1 = f32x4.splat(0);
  let d0 = f32x4.splat(0), d1 = f32x4.splat(0);
  const end = w + ((<usize>depth) << 2);
  for (const eight = w + ((<usize>(depth & ~7)) << 2); w < eight; w += 32) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    a0 = multiplyAdd(v128.load(a), w0, a0);
    b0 = multiplyAdd(v128.load(b), w0, b0);
    c0 = multiplyAdd(v128.load(c), w0, c0);
    d0 = multiplyAdd(v128.load(d), w0, d0);
    a1 = multiplyAdd(v128.load(a, 16), w1, a1);
    b1 = multiplyAdd(v128.load(b, 16), w1, b1);
    c1 = multiplyAdd(v128.load(c, 16), w1, c1);
    d1 = multiplyAdd(v128.load(d, 16), w1, d1);
    a += 32;
    b += 32;
    c += 32;
    d += 32;
  }
  for (; w < end; w += 16) {
    const left = <i32>((end - w) >> 2);
    const w0 = loadSome(w, left);
    a0 = multiplyAdd(loadSome(a, left), w0, a0);
    b0 = multiplyAdd(loadSome(b, left), w0, b0);
    c0 = multiplyAdd(loadSome(c, left), w0, c0);
    d0 = multiplyAdd(loadSome(d, left), w0, d0);
    a += 16;
    b += 16;
    c += 16;
    d += 16;
  }
  return laneSums(f32x4.add(a0, a1), f32x4.add(b0, b1), f32x4.add(c0, c1), f32x4.add(d0, d1));
}
