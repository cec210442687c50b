// Σ x² over many tensors. The numbers are summed in float64, block by block and then the blocks in
// order, so that the sum does not depend on the number of threads.

import { loadSome } from "./elementwise";
import { barrier, claim } from "./threads";

@unmanaged
class SumOfSquares {
  blocks: i32;
  /** The result, one float. */
  sum: usize;
  /** One float64 for each block, aligned to 8 bytes. */
  scratch: usize;
}

/** A piece of one tensor; the blocks follow the arguments. */
@unmanaged
class SumBlock {
  count: i32;
  x: usize;
}

export function sumOfSquares(args: usize, thread: i32, threads: i32): void {
  const job = changetype<SumOfSquares>(args);
  for (let n = claim(0); n < job.blocks; n = claim(0)) {
    const block = changetype<SumBlock>(
      args + offsetof<SumOfSquares>() + <usize>n * offsetof<SumBlock>(),
    );
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    for (let i = 0; i < block.count; i += 4) {
      const x = loadSome(block.x + ((<usize>i) << 2), block.count - i);
      const a = f64x2.promote_low_f32x4(x);
      const b = f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
      low = f64x2.add(low, f64x2.mul(a, a));
      high = f64x2.add(high, f64x2.mul(b, b));
    }
    const sums = f64x2.add(low, high);
    store<f64>(
      job.scratch + ((<usize>n) << 3),
      f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1),
    );
  }
  barrier(threads);
  if (thread > 0) return;
  let sum: f64 = 0;
  for (let n = 0; n < job.blocks; n++) sum += load<f64>(job.scratch + ((<usize>n) << 3));
  store<f32>(job.sum, <f32>sum);
}
