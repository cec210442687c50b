// Rows of a table, and the gradient of the table: each row sums what came in where it was used.

import { loadSome, numberShare, storeSome } from "./elementwise";
import { shareStart } from "./threads";

@unmanaged
class Embedding {
  positions: i32;
  rows: i32;
  width: i32;
  ids: usize;
  table: usize;
  y: usize;
}

/** A row of zeros for an id that the table does not have. */
export function embedding(args: usize, thread: i32, threads: i32): void {
  const job = changetype<Embedding>(args);
  const bytes = (<usize>job.width) << 2;
  const last = shareStart(job.positions, thread + 1, threads);
  for (let position = shareStart(job.positions, thread, threads); position < last; position++) {
    const id = load<i32>(job.ids + ((<usize>position) << 2));
    const to = job.y + <usize>position * bytes;
    if (<u32>id < <u32>job.rows) memory.copy(to, job.table + <usize>id * bytes, bytes);
    else memory.fill(to, 0, bytes);
  }
}

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
