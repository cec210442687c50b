// Lightning attention over several tokens: o_t = q_t S_t, S_t = λ S_{t−1} + k_tᵀ v_t (SPEC 6.3),
// evaluated in blocks. Threads claim pairs of batch and head; when those are few, a pair is cut into
// slices of columns, which do not depend on each other.

import { powersOf, Sweep, sweep, SWEEP_BYTES } from "./lightning-sweep";
import { claim, shareStart } from "./threads";

/** Arguments, 4 bytes each; the table of powers of each head follows as float32. */
@unmanaged
class LightningAttention {
  pairs: i32;
  heads: i32;
  length: i32;
  headDim: i32;
  block: i32;
  slices: i32;
  queries: usize;
  keys: usize;
  values: usize;
  state: usize;
  mask: usize;
  output: usize;
  next: usize;
  scratch: usize;
  scratchBytes: usize;
}

export function lightningAttention(args: usize, thread: i32): void {
  const job = changetype<LightningAttention>(args);
  const scratch = job.scratch + <usize>thread * job.scratchBytes;
  const s = changetype<Sweep>(scratch);
  const panels = (job.headDim + 7) >> 3;
  for (;;) {
    const item = claim(0);
    if (item >= job.pairs * job.slices) return;
    const pair = item / job.slices;
    const slice = item % job.slices;
    const tokens = (<usize>pair * job.length * job.headDim) << 2;
    const square = (<usize>pair * job.headDim * job.headDim) << 2;
    s.length = job.length;
    s.headDim = job.headDim;
    s.block = job.block;
    s.backward = false;
    s.queries = job.queries + tokens;
    s.keys = job.keys + tokens;
    s.values = job.values + tokens;
    s.output = job.output + tokens;
    s.mask = job.mask ? job.mask + ((<usize>(pair / job.heads) * job.length) << 2) : 0;
    s.powers = powersOf(args + offsetof<LightningAttention>(), job.block, pair % job.heads);
    s.state = job.state ? job.state + square : 0;
    s.next = job.next + square;
    s.transposed = false;
    s.firstPanel = shareStart(panels, slice, job.slices);
    s.lastPanel = shareStart(panels, slice + 1, job.slices);
    sweep(s, scratch + SWEEP_BYTES);
  }
}
