// sum + x for many tensors in one job.

import { loadSome, storeSome } from "./elementwise";
import { claim } from "./threads";

@unmanaged
class Accumulate {
  blocks: i32;
}

/** A piece of one tensor; the blocks follow the arguments. */
@unmanaged
class AccumulateBlock {
  count: i32;
  sum: usize;
  x: usize;
  newSum: usize;
}

export function accumulate(args: usize, thread: i32, threads: i32): void {
  const job = changetype<Accumulate>(args);
  for (let n = claim(0); n < job.blocks; n = claim(0)) {
    const block = changetype<AccumulateBlock>(
      args + offsetof<Accumulate>() + <usize>n * offsetof<AccumulateBlock>(),
    );
    for (let i = 0; i < block.count; i += 4) {
      const at = (<usize>i) << 2;
      const left = block.count - i;
      const sum = f32x4.add(loadSome(block.sum + at, left), loadSome(block.x + at, left));
      storeSome(block.newSum + at, sum, left);
    }
  }
}
