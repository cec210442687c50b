import type { WebGpuKernel } from "./register-fused.ts";
import { runShader, type Shader } from "./run-shader.ts";
import { sumOver } from "./snippets.ts";

const threads = 64;

/** One workgroup for each row. */
const rmsNorm: Shader<Record<string, never>> = {
  name: "rms-norm",
  threads,
  code: () => `${sumOver(threads)}
fn main(index: i32) {
  let row = index / ${threads};
  let start = row * uniforms.width;
  // Past the last row threads still meet the others at barriers.
  let end = select(0, uniforms.width, row < uniforms.rows);
  var squares = 0.0;
  for (var i = i32(localIndex); i < end; i += ${threads}) {
    squares += x[start + i] * x[start + i];
  }
  let mean = sumOverLanes(squares) / f32(uniforms.width);
  let scale = inverseSqrt(mean + uniforms.epsilon);
  for (var i = i32(localIndex); i < end; i += ${threads}) {
    result[start + i] = x[start + i] * scale * weight[i];
  }
}`,
};

export const webGpuRmsNorm: WebGpuKernel = {
  name: "LevinRmsNorm",
  run: (backend, { x, weight }, { epsilon }: { epsilon: number }) => {
    const [width, rows] = [weight!.size, x!.size / weight!.size];
    return [
      runShader(backend, rmsNorm, {
        variant: {},
        inputs: { x: x!, weight: weight! },
        sizes: { rows, width },
        factors: { epsilon },
        output: { shape: x!.shape },
        workgroups: rows,
      }),
    ];
  },
};
