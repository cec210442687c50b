// y = w ⊙ x · r with r = 1 / √(mean(x²) + ε), row by row, and its gradient:
//   dx = r · (g ⊙ w) − x · r³ · mean(g ⊙ w ⊙ x),  dw = Σ over rows of g ⊙ x · r

import { loadSome, numberShare, storeSome, sumOfLanes } from "./elementwise";
import { multiplyAdd } from "./gemm";
import { barrier, shareStart } from "./threads";

@unmanaged
class RmsNorm {
  rows: i32;
  size: i32;
  epsilon: f32;
  x: usize;
  weight: usize;
  y: usize;
}

export function rmsNorm(args: usize, thread: i32, threads: i32): void {
  const job = changetype<RmsNorm>(args);
  const size = job.size;
  const last = shareStart(job.rows, thread + 1, threads);
  for (let row = shareStart(job.rows, thread, threads); row < last; row++) {
    const offset = (<usize>(row * size)) << 2;
    normaliseRow(job.x + offset, job.weight, size, job.epsilon, job.y + offset);
  }
}

/** y of one row. */
export function normaliseRow(x: usize, weight: usize, size: i32, epsilon: f32, y: usize): void {
  let squares = f32x4.splat(0);
  for (let i = 0; i < size; i += 4) {
    const v = loadSome(x + ((<usize>i) << 2), size - i);
    squares = multiplyAdd(v, v, squares);
  }
  const scale = f32x4.splat(inverseRoot(sumOfLanes(squares), size, epsilon));
  for (let i = 0; i < size; i += 4) {
    const at = (<usize>i) << 2;
    const v = f32x4.mul(loadSome(x + at, size - i), scale);
    storeSome(y + at, f32x4.mul(v, loadSome(weight + at, size - i)), size - i);
  }
}

// @ts-ignore: decorator
@inline
function inverseRoot(squares: f32, size: i32, epsilon: f32): f32 {
  return 1 / sqrt<f32>(squares / <f32>size + epsilon);
}

@unmanaged
class RmsNormGradient {
  rows: i32;
  size: i32;
  epsilon: f32;
  upstream: usize;
  x: usize;
  weight: usize;
  xGradient: usize;
  weightGradient: usize;
  /** Parts of the weight's gradient; their number and not that of threads decides its rounding. */
  chunks: i32;
  /** `chunks · size` floats. */
  scratch: usize;
}

export function rmsNormGradient(args: usize, thread: i32, threads: i32): void {
  const job = changetype<RmsNormGradient>(args);
  const size = job.size;
  const lastChunk = shareStart(job.chunks, thread + 1, threads);
  for (let chunk = shareStart(job.chunks, thread, threads); chunk < lastChunk; chunk++) {
    const sums = job.scratch + ((<usize>(chunk * size)) << 2);
    memory.fill(sums, 0, (<usize>size) << 2);
    const last = shareStart(job.rows, chunk + 1, job.chunks);
    for (let row = shareStart(job.rows, chunk, job.chunks); row < last; row++) {
      rowGradient(job, (<usize>(row * size)) << 2, sums);
    }
  }
  barrier(threads);
  const end = numberShare(size, thread + 1, threads);
  for (let i = numberShare(size, thread, threads); i < end; i += 4) {
    const at = (<usize>i) << 2;
    let sum = f32x4.splat(0);
    for (let chunk = 0; chunk < job.chunks; chunk++) {
      const sums = job.scratch + ((<usize>(chunk * size)) << 2);
      sum = f32x4.add(sum, loadSome(sums + at, size - i));
    }
    storeSome(job.weightGradient + at, sum, size - i);
  }
}

function rowGradient(job: RmsNormGradient, offset: usize, sums: usize): void {
  const size = job.size;
  const x = job.x + offset;
  const upstream = job.upstream + offset;
  let squares = f32x4.splat(0);
  let products = f32x4.splat(0);
  for (let i = 0; i < size; i += 4) {
    const at = (<usize>i) << 2;
    const left = size - i;
    const v = loadSome(x + at, left);
    const weighted = f32x4.mul(loadSome(upstream + at, left), loadSome(job.weight + at, left));
    squares = multiplyAdd(v, v, squares);
    products = multiplyAdd(weighted, v, products);
  }
  const r = inverseRoot(sumOfLanes(squares), size, job.epsilon);
  const scale = f32x4.splat(r);
  const along = f32x4.splat((sumOfLanes(products) * r) / <f32>size);
  for (let i = 0; i < size; i += 4) {
    const at = (<usize>i) << 2;
    const left = size - i;
    const g = loadSome(upstream + at, left);
    const normalised = f32x4.mul(loadSome(x + at, left), scale);
    const weighted = f32x4.mul(g, loadSome(job.weight + at, left));
    const sum = multiplyAdd(g, normalised, loadSome(sums + at, left));
    storeSome(sums + at, sum, left);
    const inner = f32x4.sub(weighted, f32x4.mul(normalised, along));
    storeSome(job.xGradient + offset + at, f32x4.mul(inner, scale), left);
  }
}
