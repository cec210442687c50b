import type { WebGpuKernel } from "./register-fused.ts";
import { runShader, type Shader } from "./run-shader.ts";

const threads = 64;

const rowsOfTable: Shader<Record<string, never>> = {
  name: "embedding",
  threads,
  code: () => `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  result[index] = table[ids[index / uniforms.width] * uniforms.width + index % uniforms.width];
}`,
};

/** One workgroup for each row of the table sums what came in for its id, in the order of tokens. */
const sumsOfRows: Shader<Record<string, never>> = {
  name: "embedding-gradient",
  threads,
  code: () => `
fn main(index: i32) {
  let row = index / ${threads};
  if (row >= uniforms.rows) { return; }
  for (var i = i32(localIndex); i < uniforms.width; i += ${threads}) {
    var sum = 0.0;
    if (row != uniforms.paddingId) {
      for (var token = 0; token < uniforms.tokens; token++) {
        if (ids[token] == row) { sum += upstream[token * uniforms.width + i]; }
      }
    }
    result[row * uniforms.width + i] = sum;
  }
}`,
};

export const webGpuEmbedding: WebGpuKernel = {
  name: "LevinEmbedding",
  run: (backend, { ids, table }) => {
    const width = table!.shape[1]!;
    const count = ids!.size * width;
    return [
      runShader(backend, rowsOfTable, {
        variant: {},
        inputs: { ids: ids!, table: table! },
        sizes: { count, width },
        output: { shape: [...ids!.shape, width] },
        workgroups: Math.ceil(count / threads),
      }),
    ];
  },
};

export const webGpuEmbeddingGradient: WebGpuKernel = {
  name: "LevinEmbeddingGradient",
  run: (backend, { upstream, ids, table }, { paddingId }: { paddingId: number }) => {
    const [rows, width] = table!.shape as [number, number];
    return [
      runShader(backend, sumsOfRows, {
        variant: {},
        inputs: { upstream: upstream!, ids: ids! },
        sizes: { rows, width, tokens: ids!.size, paddingId },
        output: { shape: [rows, width] },
        workgroups: rows,
      }),
    ];
  },
};
