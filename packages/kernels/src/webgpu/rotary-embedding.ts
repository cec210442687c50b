import type { WebGpuKernel } from "./register-fused.ts";
import { runShader, type Shader } from "./run-shader.ts";

const threads = 64;

/** Each thread one number; its partner in the rotated pair is `half` away. */
const rotary: Shader<Record<string, never>> = {
  name: "rotary-embedding",
  threads,
  code: () => `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let i = index % uniforms.size;
  if (i >= 2 * uniforms.half) {
    result[index] = x[index];
    return;
  }
  let row = index / uniforms.size;
  let batch = row / (uniforms.heads * uniforms.length);
  let angle = ((batch % uniforms.angleRows) * uniforms.length + row % uniforms.length) * uniforms.half
    + i % uniforms.half;
  let turned = select(x[index - uniforms.half], -x[index + uniforms.half], i < uniforms.half);
  result[index] = x[index] * cosines[angle] + uniforms.direction * turned * sines[angle];
}`,
};

export const webGpuRotaryEmbedding: WebGpuKernel = {
  name: "LevinRotaryEmbedding",
  run: (backend, { x, cos, sin }, { direction }: { direction: number }) => {
    const [, heads, length, size] = x!.shape as [number, number, number, number];
    const [angleRows, , , half] = cos!.shape as [number, number, number, number];
    return [
      runShader(backend, rotary, {
        variant: {},
        inputs: { x: x!, cosines: cos!, sines: sin! },
        sizes: { count: x!.size, heads, length, size, half, angleRows },
        factors: { direction },
        output: { shape: x!.shape },
        workgroups: Math.ceil(x!.size / threads),
      }),
    ];
  },
};
