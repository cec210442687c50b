/** Rows and columns of the results of a workgroup. */
export const tileSize = 64;
/** Threads of its workgroup: 16 × 16, each with 4 × 4 results. */
export const tileThreads = 256;

/** k at a time in shared memory, and its rows: one more than the tile has, so that banks don't collide. */
const slice = 16;
const pitch = tileSize + 1;

/** What a tiled product reads and writes, in WGSL. */
export interface ProductTile {
  /** Declarations that the rest uses. */
  declarations?: string;
  /**
   * Statements that define `firstRow`, `rows`, `firstColumn`, `columns` and `depth`. The depth, and
   * whether to return, must be the same for all threads in the compiler's eyes.
   */
  bounds: string;
  /** Left factor at `row` and `k`, an expression. */
  left: string;
  /** Right factors at `column` and `k`; all are multiplied with the same left one. */
  right: readonly string[];
  /** Statement that stores the sums `sum0`, … of `row` and `column`. */
  store: string;
}

/**
 * Code of products Σ_k left(row, k) · right(column, k), a tile of 64 × 64 results a workgroup. Slices of
 * 16 k go through memory that the workgroup shares; each thread keeps 4 × 4 sums in registers.
 */
export function productTile(tile: ProductTile): string {
  const { declarations = "", bounds, left, right, store } = tile;
  const each = (code: (i: number) => string): string => right.map((_, i) => code(i)).join("\n");
  const four = (name: string, group: string): string =>
    [0, 1, 2, 3].map((i) => `${name}[k * ${pitch} + 4 * ${group} + ${i}]`).join(", ");
  return `
${declarations}
var<workgroup> leftTile: array<f32, ${slice * pitch}>;
${each((i) => `var<workgroup> rightTile${i}: array<f32, ${slice * pitch}>;`)}
fn leftAt(row: i32, k: i32) -> f32 { return ${left}; }
${each((i) => `fn rightAt${i}(column: i32, k: i32) -> f32 { return ${right[i]}; }`)}
fn main(index: i32) {
  ${bounds}
  let local = i32(localIndex);
  let rowGroup = local / 16;
  let columnGroup = local % 16;
  ${each((i) => `var sums${i}: array<vec4<f32>, 4>;`)}
  for (var start = 0; start < depth; start += ${slice}) {
    for (var i = local; i < ${slice * tileSize}; i += ${tileThreads}) {
      let k = i % ${slice};
      let n = i / ${slice};
      let inDepth = start + k < depth;
      var value = 0.0;
      if (inDepth && firstRow + n < rows) { value = leftAt(firstRow + n, start + k); }
      leftTile[k * ${pitch} + n] = value;
      ${each(
        (i) => `value = 0.0;
      if (inDepth && firstColumn + n < columns) { value = rightAt${i}(firstColumn + n, start + k); }
      rightTile${i}[k * ${pitch} + n] = value;`,
      )}
    }
    workgroupBarrier();
    for (var k = 0; k < ${slice}; k++) {
      let l = vec4<f32>(${four("leftTile", "rowGroup")});
      ${each(
        (i) => `let r${i} = vec4<f32>(${four(`rightTile${i}`, "columnGroup")});
      sums${i}[0] += l.x * r${i};
      sums${i}[1] += l.y * r${i};
      sums${i}[2] += l.z * r${i};
      sums${i}[3] += l.w * r${i};`,
      )}
    }
    workgroupBarrier();
  }
  for (var r = 0; r < 4; r++) {
    for (var c = 0; c < 4; c++) {
      let row = firstRow + 4 * rowGroup + r;
      let column = firstColumn + 4 * columnGroup + c;
      if (row < rows && column < columns) {
        ${each((i) => `let sum${i} = sums${i}[r][c];`)}
        ${store}
      }
    }
  }
}`;
}
