import { weightKind, type WeightKind } from "../quantized/block-layout.ts";
import type { WebGpuKernel } from "./register-fused.ts";
import { runShader, type Shader } from "./run-shader.ts";
import { weightAt } from "./weights.ts";

const threads = 64;

const dequantize: Shader<{ kind: WeightKind }> = {
  name: "dequantize",
  threads,
  code: ({ kind }) => `${weightAt("weight", kind, "uniforms.columns")}
fn main(index: i32) {
  if (index < uniforms.count) {
    result[index] = weightAt(index / uniforms.columns, index % uniforms.columns);
  }
}`,
};

export const webGpuDequantize: WebGpuKernel = {
  name: "LevinDequantize",
  run: (backend, { weight }, { columns }: { columns: number }) => {
    const rows = weight!.shape[0]!;
    const count = rows * columns;
    return [
      runShader(backend, dequantize, {
        variant: { kind: weightKind("dequantize", weight!, [rows, columns]) },
        inputs: { weight: weight! },
        sizes: { count, columns },
        output: { shape: [rows, columns] },
        workgroups: Math.ceil(count / threads),
      }),
    ];
  },
};
