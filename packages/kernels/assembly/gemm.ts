// C = A · B for any strides: blocks of A and B are packed into panels, and a small tile of C stays
// in registers while it runs along a panel (Goto & van de Geijn, "Anatomy of high-performance matrix
// multiplication", 2008). Addresses and strides are in bytes and elements as named. B may be a quantised weight, whose
// numbers become float32 while they are packed.

import { dequantize, weightBytes } from "./quantized-blocks";

/** Rows and columns of the tile in registers: 4 × 8 floats are 8 of the 16 registers of x86-64. */
export const TILE_ROWS: i32 = 4;
export const TILE_COLUMNS: i32 = 8;
/**
 * Depth and sizes of packed blocks: a panel of B stays in the first cache, a block of A in the second.
 * The depth is a multiple of that of quantised blocks.
 */
const DEPTH: i32 = 256;
const BLOCK_ROWS: i32 = 64;
const BLOCK_COLUMNS: i32 = 512;

/** Bytes of scratch that one call of {@link multiply} needs. */
export const PACKING_BYTES: usize =
  <usize>(4 * (BLOCK_ROWS * DEPTH + BLOCK_COLUMNS * DEPTH + TILE_ROWS * TILE_COLUMNS + 4 * DEPTH));

// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, sum: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD
    ? f32x4.relaxed_madd(a, b, sum)
    : f32x4.add(f32x4.mul(a, b), sum);
}

/**
 * C[rows, columns] (+)= A[rows, depth] · B[depth, columns].
 *
 * @param a address of A; `aRow`, `aDepth` are its strides in elements
 * @param b address of B; `bDepth`, `bColumn` are its strides in elements
 * @param c address of C, whose rows are `cRow` elements apart and contiguous
 * @param add keeps what C holds and adds to it
 * @param scratch {@link PACKING_BYTES} bytes of this thread
 * @param kind that of B: other than 0, Bᵀ is a quantised weight [columns, depth] and has no strides
 */
export function multiply(
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  aRow: i32,
  aDepth: i32,
  b: usize,
  bDepth: i32,
  bColumn: i32,
  c: usize,
  cRow: i32,
  add: bool,
  scratch: usize,
  kind: i32 = 0,
): void {
  const packedA = scratch;
  const packedB = packedA + <usize>(4 * BLOCK_ROWS * DEPTH);
  const edge = packedB + <usize>(4 * BLOCK_COLUMNS * DEPTH);
  for (let column = 0; column < columns; column += BLOCK_COLUMNS) {
    const width = min(BLOCK_COLUMNS, columns - column);
    for (let k = 0; k < depth; k += DEPTH) {
      const inner = min(DEPTH, depth - k);
      if (kind == 0) {
        const from = b + ((<usize>(k * bDepth) + <usize>(column * bColumn)) << 2);
        packPanels(from, bColumn, bDepth, width, inner, TILE_COLUMNS, packedB);
      } else {
        const rowBytes = weightBytes(kind, depth);
        const from = b + <usize>column * rowBytes + weightBytes(kind, k);
        packQuantized(from, kind, rowBytes, width, inner, packedB, edge + <usize>(4 * TILE_ROWS * TILE_COLUMNS));
      }
      const adding = add || k > 0;
      for (let row = 0; row < rows; row += BLOCK_ROWS) {
        const height = min(BLOCK_ROWS, rows - row);
        const offset = <usize>(row * aRow) + <usize>(k * aDepth);
        packPanels(a + (offset << 2), aRow, aDepth, height, inner, TILE_ROWS, packedA);
        for (let j = 0; j < width; j += TILE_COLUMNS) {
          const panelB = packedB + ((<usize>(j * inner)) << 2);
          for (let i = 0; i < height; i += TILE_ROWS) {
            const panelA = packedA + ((<usize>(i * inner)) << 2);
            const target = c + ((<usize>((row + i) * cRow + column + j)) << 2);
            if (height - i >= TILE_ROWS && width - j >= TILE_COLUMNS) {
              tile(inner, panelA, panelB, target, (<usize>cRow) << 2, adding);
            } else {
              tile(inner, panelA, panelB, edge, (<usize>TILE_COLUMNS) << 2, false);
              copyEdge(edge, target, cRow, min(TILE_ROWS, height - i), min(TILE_COLUMNS, width - j), adding);
            }
          }
        }
      }
    }
  }
}

/**
 * Copies lines (rows of A, columns of B) into panels of `panel` lines, depth-major; missing lines
 * of the last panel are 0.
 */
function packPanels(
  from: usize,
  lineStride: i32,
  depthStride: i32,
  lines: i32,
  depth: i32,
  panel: i32,
  to: usize,
): void {
  const lineBytes = (<usize>lineStride) << 2;
  const depthBytes = (<usize>depthStride) << 2;
  for (let first = 0; first < lines; first += panel) {
    const target = to + ((<usize>(first * depth)) << 2);
    const count = min(panel, lines - first);
    if (count < panel) memory.fill(target, 0, (<usize>(panel * depth)) << 2);
    if (lineStride == 1 && count == panel) {
      packAcross(from + ((<usize>first) << 2), depthBytes, depth, panel, target);
      continue;
    }
    const step = (<usize>panel) << 2;
    let i = 0;
    if (depthStride == 1) {
      for (; i + 4 <= count; i += 4) {
        packFour(
          from + <usize>(first + i) * lineBytes,
          from + <usize>(first + i + 1) * lineBytes,
          from + <usize>(first + i + 2) * lineBytes,
          from + <usize>(first + i + 3) * lineBytes,
          depth,
          target + ((<usize>i) << 2),
          step,
        );
      }
    }
    for (; i < count; i++) {
      let source = from + <usize>(first + i) * lineBytes;
      let place = target + ((<usize>i) << 2);
      for (let k = 0; k < depth; k++) {
        store<f32>(place, load<f32>(source));
        source += depthBytes;
        place += step;
      }
    }
  }
}

/** Rows of a quantised weight as panels of {@link TILE_COLUMNS}; `rows` holds four of them meanwhile. */
function packQuantized(
  from: usize,
  kind: i32,
  rowBytes: usize,
  lines: i32,
  depth: i32,
  to: usize,
  rows: usize,
): void {
  const bytes = (<usize>depth) << 2;
  for (let first = 0; first < lines; first += 4) {
    for (let i = 0; i < 4; i++) {
      const row = rows + <usize>i * bytes;
      if (first + i < lines) dequantize(kind, from + <usize>(first + i) * rowBytes, depth, row);
      else memory.fill(row, 0, bytes);
    }
    const panel = to + <usize>(first & ~(TILE_COLUMNS - 1)) * bytes + ((<usize>(first & (TILE_COLUMNS - 1))) << 2);
    packFour(rows, rows + bytes, rows + 2 * bytes, rows + 3 * bytes, depth, panel, (<usize>TILE_COLUMNS) << 2);
  }
}

/** Lines lie side by side: every depth is one contiguous load. */
function packAcross(from: usize, depthBytes: usize, depth: i32, panel: i32, to: usize): void {
  for (let k = 0; k < depth; k++) {
    v128.store(to, v128.load(from));
    if (panel == 8) v128.store(to, v128.load(from, 16), 16);
    from += depthBytes;
    to += (<usize>panel) << 2;
  }
}

/** Four lines contiguous in depth, transposed four by four. */
export function packFour(a: usize, b: usize, c: usize, d: usize, depth: i32, to: usize, step: usize): void {
  let k = 0;
  for (; k + 4 <= depth; k += 4) {
    const at = (<usize>k) << 2;
    const va = v128.load(a + at);
    const vb = v128.load(b + at);
    const vc = v128.load(c + at);
    const vd = v128.load(d + at);
    const ab = v128.shuffle<i32>(va, vb, 0, 4, 1, 5);
    const abHigh = v128.shuffle<i32>(va, vb, 2, 6, 3, 7);
    const cd = v128.shuffle<i32>(vc, vd, 0, 4, 1, 5);
    const cdHigh = v128.shuffle<i32>(vc, vd, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
    v128.store(to + step, v128.shuffle<i64>(ab, cd, 1, 3));
    v128.store(to + 2 * step, v128.shuffle<i64>(abHigh, cdHigh, 0, 2));
    v128.store(to + 3 * step, v128.shuffle<i64>(abHigh, cdHigh, 1, 3));
    to += 4 * step;
  }
  for (; k < depth; k++) {
    const at = (<usize>k) << 2;
    store<f32>(to, load<f32>(a + at));
    store<f32>(to, load<f32>(b + at), 4);
    store<f32>(to, load<f32>(c + at), 8);
    store<f32>(to, load<f32>(d + at), 12);
    to += step;
  }
}

/** One 4 × 8 tile of C; `stride` is the distance of its rows in bytes. */
function tile(depth: i32, a: usize, b: usize, c: usize, stride: usize, add: bool): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  const end = a + ((<usize>depth) << 4);
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load_splat<f32>(a);
    c00 = multiplyAdd(a0, b0, c00);
    c01 = multiplyAdd(a0, b1, c01);
    const a1 = v128.load_splat<f32>(a, 4);
    c10 = multiplyAdd(a1, b0, c10);
    c11 = multiplyAdd(a1, b1, c11);
    const a2 = v128.load_splat<f32>(a, 8);
    c20 = multiplyAdd(a2, b0, c20);
    c21 = multiplyAdd(a2, b1, c21);
    const a3 = v128.load_splat<f32>(a, 12);
    c30 = multiplyAdd(a3, b0, c30);
    c31 = multiplyAdd(a3, b1, c31);
    a += 16;
    b += 32;
  }
  storeRow(c, c00, c01, add);
  storeRow(c + stride, c10, c11, add);
  storeRow(c + 2 * stride, c20, c21, add);
  storeRow(c + 3 * stride, c30, c31, add);
}

// @ts-ignore: decorator
@inline
function storeRow(c: usize, low: v128, high: v128, add: bool): void {
  v128.store(c, add ? f32x4.add(v128.load(c), low) : low);
  v128.store(c, add ? f32x4.add(v128.load(c, 16), high) : high, 16);
}

function copyEdge(from: usize, to: usize, cRow: i32, rows: i32, columns: i32, add: bool): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const source = from + ((<usize>(i * TILE_COLUMNS + j)) << 2);
      const target = to + ((<usize>(i * cRow + j)) << 2);
      store<f32>(target, add ? load<f32>(target) + load<f32>(source) : load<f32>(source));
    }
  }
}
