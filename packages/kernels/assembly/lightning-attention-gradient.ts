// The backward pass of lightning attention: three sweeps of the same form (lightning-sweep.ts).
//   dq_t = do_t S_tᵀ                         forward, with values as keys and keys as values
//   dv_t = k_t G_t                           backward, G_t = λ G_{t+1} + q_tᵀ do_t
//   dk_t = v_t G_tᵀ                          backward
// G ends as the gradient of the incoming state. Threads claim sweeps, or slices of their columns.

import { powersOf, Sweep, sweep, SWEEP_BYTES } from "./lightning-sweep";
import { claim, shareStart } from "./threads";

/** Arguments, 4 bytes each; the table of powers of each head follows as float32. */
@unmanaged
class LightningAttentionGradient {
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
  outputGradient: usize;
  nextGradient: usize;
  queriesGradient: usize;
  keysGradient: usize;
  valuesGradient: usize;
  stateGradient: usize;
  scratch: usize;
  scratchBytes: usize;
}

export function lightningAttentionGradient(args: usize, thread: i32): void {
  const job = changetype<LightningAttentionGradient>(args);
  const scratch = job.scratch + <usize>thread * job.scratchBytes;
  const s = changetype<Sweep>(scratch);
  const panels = (job.headDim + 7) >> 3;
  const slices = job.slices;
  for (;;) {
    const item = claim(0);
    if (item >= job.pairs * 3 * slices) return;
    const slice = item % slices;
    const which = (item / slices) % 3;
    const pair = item / slices / 3;
    const tokens = (<usize>pair * job.length * job.headDim) << 2;
    const square = (<usize>pair * job.headDim * job.headDim) << 2;
    const queries = job.queries + tokens;
    const keys = job.keys + tokens;
    const values = job.values + tokens;
    const gradient = job.outputGradient + tokens;
    s.length = job.length;
    s.headDim = job.headDim;
    s.block = job.block;
    s.backward = which != 0;
    s.queries = which == 0 ? gradient : which == 1 ? keys : values;
    s.keys = which == 0 ? values : which == 1 ? queries : gradient;
    s.values = which == 0 ? keys : which == 1 ? gradient : queries;
    s.output =
      (which == 0
        ? job.queriesGradient
        : which == 1
          ? job.valuesGradient
          : job.keysGradient) + tokens;
    s.mask = job.mask ? job.mask + ((<usize>(pair / job.heads) * job.length) << 2) : 0;
    s.powers = powersOf(args + offsetof<LightningAttentionGradient>(), job.block, pair % job.heads);
    const initial = which == 0 ? job.state : job.nextGradient;
    s.state = initial ? initial + square : 0;
    s.next = which == 1 && job.stateGradient ? job.stateGradient + square : 0;
    s.transposed = which != 1;
    s.firstPanel = shareStart(panels, slice, slices);
    s.lastPanel = shareStart(panels, slice + 1, slices);
    sweep(s, scratch + SWEEP_BYTES);
  }
}
