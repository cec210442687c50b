// y = α · a + β · b, or α · a where there is no b.

import { loadSome, numberShare, storeSome } from "./elementwise";

@unmanaged
class ScaledSum {
  count: i32;
  alpha: f32;
  a: usize;
  beta: f32;
  /** 0 when there is none. */
  b: usize;
  y: usize;
}

export function scaledSum(args: usize, thread: i32, threads: i32): void {
  const job = changetype<ScaledSum>(args);
  const alpha = f32x4.splat(job.alpha);
  const beta = f32x4.splat(job.beta);
  const end = numberShare(job.count, thread + 1, threads);
  for (let i = numberShare(job.count, thread, threads); i < end; i += 4) {
    const at = (<usize>i) << 2;
    const left = job.count - i;
    let y = f32x4.mul(loadSome(job.a + at, left), alpha);
    if (job.b) y = f32x4.add(y, f32x4.mul(loadSome(job.b + at, left), beta));
    storeSome(job.y + at, y, left);
  }
}
