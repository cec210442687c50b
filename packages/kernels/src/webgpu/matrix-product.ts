import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type * as tf from "@tensorflow/tfjs-core";
import type { MatrixProductAttributes } from "../linear/matrix-product.ts";
import { weightKind, type WeightKind } from "../quantized/block-layout.ts";
import { productTile, tileSize, tileThreads } from "./product-tile.ts";
import type { WebGpuKernel } from "./register-fused.ts";
import { runShader, type Shader } from "./run-shader.ts";
import { sumOver } from "./snippets.ts";
import { weightAt, weightDot } from "./weights.ts";

type TileVariant = { transposeA: boolean; transposeB: boolean; kind: WeightKind };

const tiled: Shader<TileVariant> = {
  name: "matrix-product",
  threads: tileThreads,
  code: ({ transposeA, transposeB, kind }) =>
    productTile({
      declarations: transposeB ? weightAt("b", kind, "uniforms.depth") : "",
      bounds: `
  let firstRow = i32(workgroupId.y) * ${tileSize};
  let firstColumn = i32(workgroupId.x) * ${tileSize};
  let rows = uniforms.rows;
  let columns = uniforms.columns;
  let depth = uniforms.depth;`,
      left: transposeA ? "a[k * uniforms.rows + row]" : "a[row * uniforms.depth + k]",
      right: [transposeB ? "bAt(column, k)" : "b[k * uniforms.columns + column]"],
      store: "result[row * columns + column] = sum0;",
    }),
};

/** Up to so many rows a weight is read in one stream; more rows are multiplied in tiles. */
const fewRows = 4;
/** Neighbouring threads that share a row of the weight. */
const lanes = 16;
const threads = 64;

const streamed: Shader<{ kind: WeightKind; isVector: boolean }> = {
  name: "few-rows-product",
  threads,
  code: ({ kind, isVector }) => `
${weightDot("b", kind, { columns: "uniforms.depth", lanes, x: "a", isVector })}
${sumOver(threads, lanes)}
fn main(index: i32) {
  let column = index / ${lanes};
  let lane = index % ${lanes};
  for (var row = 0; row < uniforms.rows; row++) {
    var part = 0.0;
    if (column < uniforms.columns) { part = bDot(column, row * uniforms.depth, lane); }
    let sum = sumOverLanes(part);
    if (lane == 0 && column < uniforms.columns) { result[row * uniforms.columns + column] = sum; }
  }
}`,
};

/** x · weightᵀ for `[rows, depth]` and a weight `[columns, depth]` of any kind. */
function project(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  weight: tf.TensorInfo,
  [rows, depth]: readonly [number, number],
  shape: number[] = [rows, weight.shape[0]!],
): tf.TensorInfo {
  const columns = weight.shape[0]!;
  const kind = weightKind("linear", weight, [columns, depth]);
  if (rows > fewRows) {
    const variant = { transposeA: false, transposeB: true, kind };
    return tiles(backend, variant, x, weight, { rows, columns, depth }, shape);
  }
  const isVector = depth % 4 === 0;
  return runShader(backend, streamed, {
    variant: { kind, isVector },
    inputs: { a: x, b: weight },
    vectors: isVector ? (kind === 0 ? ["a", "b"] : ["a"]) : [],
    sizes: { rows, columns, depth },
    output: { shape },
    workgroups: Math.ceil((columns * lanes) / threads),
  });
}

function tiles(
  backend: WebGPUBackend,
  variant: TileVariant,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  sizes: { rows: number; columns: number; depth: number },
  shape: number[],
): tf.TensorInfo {
  return runShader(backend, tiled, {
    variant,
    inputs: { a, b },
    sizes,
    output: { shape },
    workgroups: [Math.ceil(sizes.columns / tileSize), Math.ceil(sizes.rows / tileSize), 1],
  });
}

export const webGpuLinear: WebGpuKernel = {
  name: "LevinLinear",
  run: (backend, { x, weight }) => {
    const depth = x!.shape.at(-1)!;
    const shape = [...x!.shape.slice(0, -1), weight!.shape[0]!];
    return [project(backend, x!, weight!, [x!.size / depth, depth], shape)];
  },
};

export const webGpuMatrixProduct: WebGpuKernel = {
  name: "LevinMatrixProduct",
  run: (backend, { a, b }, { transposeA, transposeB }: MatrixProductAttributes) => {
    const [outer, inner] = a!.shape as [number, number];
    if (!transposeA && transposeB) return [project(backend, a!, b!, [outer, inner])];
    const [rows, depth] = transposeA ? [inner, outer] : [outer, inner];
    const columns = transposeB ? b!.shape[0]! : b!.shape[1]!;
    const kind = transposeB ? weightKind("matrixProduct", b!, [columns, depth]) : 0;
    const sizes = { rows, columns, depth };
    return [tiles(backend, { transposeA, transposeB, kind }, a!, b!, sizes, [rows, columns])];
  },
};
