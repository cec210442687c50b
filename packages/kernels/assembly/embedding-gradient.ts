// Gradient of a table of which rows were looked up: each row sums what came in where it was used.

import { loadSome, numberShare, storeSome } from "./elementwise";

@unmanaged
class EmbeddingGradient {
  positions: i32;
  rows: i32;
  width: i32;
  /** A row that is not trained, or −1. */
  paddingId: i32;
  ids: usize;
  upstream: usize;
  gradient: usize;
}

/** Threads share columns, not positions, so that no two add to the same number. */
export function embeddingGradient(args: usize, thread: i32, threads: i32): void {
  const job = changetype<EmbeddingGradient>(args);
  const first = numberShare(job.width, thread, threads);
  const last = numberShare(job.width, thread + 1, threads);
  const bytes = (<usize>job.width) << 2;
  for (let row = 0; row < job.rows; row++) {
    const start = job.gradient + <usize>row * bytes + ((<usize>first) << 2);
    memory.fill(start, 0, (<usize>(last - first)) << 2);
  }
  for (let position = 0; position < job.positions; position++) {
    const id = load<i32>(job.ids + ((<usize>position) << 2));
    if (id == job.paddingId || <u32>id >= <u32>job.rows) continue;
    const from = job.upstream + <usize>position * bytes;
    const to = job.gradient + <usize>id * bytes;
    for (let i = first; i < last; i += 4) {
      const at = (<usize>i) << 2;
      const left = job.width - i;
      storeSome(to + at, f32x4.add(loadSome(to + at, left), loadSome(from + at, left)), left);
    }
  }
}
