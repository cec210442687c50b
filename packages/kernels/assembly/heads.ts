// Rows [batch, length, heads · parts · size] and heads [batch, heads, length, size] hold the same
// numbers in another order; each part of a head (queries, keys, values) is a tensor of its own.

import { loadSome, storeSome } from "./elementwise";
import { shareStart } from "./threads";

@unmanaged
class Heads {
  batch: i32;
  length: i32;
  heads: i32;
  parts: i32;
  size: i32;
  /** Tensor in order of rows; the address of each part follows the arguments. */
  rows: usize;
}

/** From rows to heads. */
export function splitHeads(args: usize, thread: i32, threads: i32): void {
  moveHeads(args, thread, threads, true);
}

/** From heads to rows. */
export function mergeHeads(args: usize, thread: i32, threads: i32): void {
  moveHeads(args, thread, threads, false);
}

// @ts-ignore: decorator
@inline
function moveHeads(args: usize, thread: i32, threads: i32, split: bool): void {
  const job = changetype<Heads>(args);
  const size = job.size;
  const bytes = (<usize>size) << 2;
  const count = job.batch * job.length;
  const last = shareStart(count, thread + 1, threads);
  for (let row = shareStart(count, thread, threads); row < last; row++) {
    const sequence = row / job.length;
    const token = row - sequence * job.length;
    let place = job.rows + <usize>(row * job.heads * job.parts) * bytes;
    for (let head = 0; head < job.heads; head++) {
      const offset = <usize>((sequence * job.heads + head) * job.length + token) * bytes;
      for (let part = 0; part < job.parts; part++) {
        const other = load<usize>(args + offsetof<Heads>() + ((<usize>part) << 2)) + offset;
        const from = split ? place : other;
        const to = split ? other : place;
        for (let i = 0; i < size; i += 4) {
          const at = (<usize>i) << 2;
          storeSome(to + at, loadSome(from + at, size - i), size - i);
        }
        place += bytes;
      }
    }
  }
}
