// Rotates pairs (x[c], x[c + half]) by an angle for each position and c; the rest passes through:
//   y[c] = x[c] cos − x[c + half] sin,  y[c + half] = x[c + half] cos + x[c] sin

import { loadSome, storeSome } from "./elementwise";
import { shareStart } from "./threads";

@unmanaged
class RotaryEmbedding {
  batch: i32;
  heads: i32;
  length: i32;
  size: i32;
  half: i32;
  /** 1, or −1 for opposite angles. */
  direction: f32;
  /** 1 when each sequence has angles of its own, else 0. */
  anglesPerSequence: i32;
  x: usize;
  cos: usize;
  sin: usize;
  y: usize;
}

export function rotaryEmbedding(args: usize, thread: i32, threads: i32): void {
  const job = changetype<RotaryEmbedding>(args);
  const size = job.size;
  const half = job.half;
  const halfBytes = (<usize>half) << 2;
  const perSequence = job.heads * job.length;
  const count = job.batch * perSequence;
  const last = shareStart(count, thread + 1, threads);
  for (let row = shareStart(count, thread, threads); row < last; row++) {
    const sequence = job.anglesPerSequence * (row / perSequence);
    const angles = <usize>(sequence * job.length + (row % job.length)) * halfBytes;
    const x = job.x + ((<usize>(row * size)) << 2);
    const y = job.y + ((<usize>(row * size)) << 2);
    rotateRow(x, y, size, half, job.cos + angles, job.sin + angles, job.direction);
  }
}

/** y of one row of `size` numbers, in place or not; `cos` and `sin` of the first `half`. */
export function rotateRow(
  x: usize,
  y: usize,
  size: i32,
  half: i32,
  cos: usize,
  sin: usize,
  direction: f32,
): void {
  const halfBytes = (<usize>half) << 2;
  const turn = f32x4.splat(direction);
  for (let i = 0; i < half; i += 4) {
    const at = (<usize>i) << 2;
    const left = half - i;
    const c = loadSome(cos + at, left);
    const s = f32x4.mul(loadSome(sin + at, left), turn);
    const first = loadSome(x + at, left);
    const second = loadSome(x + halfBytes + at, left);
    storeSome(y + at, f32x4.sub(f32x4.mul(first, c), f32x4.mul(second, s)), left);
    storeSome(y + halfBytes + at, f32x4.add(f32x4.mul(second, c), f32x4.mul(first, s)), left);
  }
  for (let i = 2 * half; i < size; i += 4) {
    const at = (<usize>i) << 2;
    storeSome(y + at, loadSome(x + at, size - i), size - i);
  }
}
