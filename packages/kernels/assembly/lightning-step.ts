// Lightning attention of one token: S ← λ S + kᵀ v, o = q S, in one pass over the state. Work is cut
// by pairs of batch and head, and by columns of the state when pairs are few.

import { multiplyAdd } from "./gemm";
import { shareStart } from "./threads";

/** Arguments, 4 bytes each; the decay λ of each head follows as float32. */
@unmanaged
class LightningStep {
  pairs: i32;
  heads: i32;
  headDim: i32;
  slices: i32;
  queries: usize;
  keys: usize;
  values: usize;
  state: usize;
  mask: usize;
  output: usize;
  next: usize;
}

export function lightningStep(args: usize, thread: i32, threads: i32): void {
  const job = changetype<LightningStep>(args);
  const headDim = job.headDim;
  const items = job.pairs * job.slices;
  const last = shareStart(items, thread + 1, threads);
  const quads = (headDim + 3) >> 2;
  for (let item = shareStart(items, thread, threads); item < last; item++) {
    const pair = item / job.slices;
    const slice = item % job.slices;
    const row = (<usize>(pair * headDim)) << 2;
    const square = row * <usize>headDim;
    const real = !job.mask || load<f32>(job.mask + ((<usize>(pair / job.heads)) << 2)) != 0;
    const end = min(headDim, 4 * shareStart(quads, slice + 1, job.slices));
    stepHead(
      headDim,
      4 * shareStart(quads, slice, job.slices),
      end,
      real,
      job.queries + row,
      job.keys + row,
      job.values + row,
      job.state ? job.state + square : 0,
      load<f32>(args + ((<usize>(pair % job.heads)) << 2), offsetof<LightningStep>()),
      job.output + row,
      job.next + square,
    );
  }
}

/** Columns first..last−1 of one head; addresses are those of its first column, 0 for no state. */
export function stepHead(
  headDim: i32,
  first: i32,
  last: i32,
  real: bool,
  query: usize,
  key: usize,
  value: usize,
  state: usize,
  decay: f32,
  output: usize,
  next: usize,
): void {
  for (let column = first; column < last; ) {
    const width = last - column >= 16 ? 16 : last - column >= 4 ? 4 : 1;
    const at = (<usize>column) << 2;
    const from = state ? state + at : 0;
    stepColumns(headDim, width, real, query, key, value + at, from, decay, output + at, next + at);
    column += width;
  }
}

/** `width` columns (16, 4 or 1) of one head; a token that is not real keeps the state and gives 0. */
function stepColumns(
  headDim: i32,
  width: i32,
  real: bool,
  query: usize,
  key: usize,
  value: usize,
  state: usize,
  decay: f32,
  output: usize,
  next: usize,
): void {
  const rowBytes = (<usize>headDim) << 2;
  if (!real || !state) {
    for (let k = 0; k < headDim; k++) {
      const at = <usize>k * rowBytes;
      if (state) memory.copy(next + at, state + at, (<usize>width) << 2);
      else memory.fill(next + at, 0, (<usize>width) << 2);
    }
    if (!real) {
      memory.fill(output, 0, (<usize>width) << 2);
      return;
    }
    state = next;
  }
  const end = query + rowBytes;
  if (width == 1) {
    let sum: f32 = 0;
    const v = load<f32>(value);
    for (; query < end; query += 4) {
      const s = decay * load<f32>(state) + load<f32>(key) * v;
      store<f32>(next, s);
      sum += load<f32>(query) * s;
      key += 4;
      state += rowBytes;
      next += rowBytes;
    }
    store<f32>(output, sum);
    return;
  }
  const w = f32x4.splat(decay);
  if (width == 4) {
    let sum = f32x4.splat(0);
    const v = v128.load(value);
    for (; query < end; query += 4) {
      const k = v128.load_splat<f32>(key);
      const s = multiplyAdd(w, v128.load(state), f32x4.mul(k, v));
      v128.store(next, s);
      sum = multiplyAdd(v128.load_splat<f32>(query), s, sum);
      key += 4;
      state += rowBytes;
      next += rowBytes;
    }
    v128.store(output, sum);
    return;
  }
  let sum0 = f32x4.splat(0), sum1 = f32x4.splat(0), sum2 = f32x4.splat(0), sum3 = f32x4.splat(0);
  const v0 = v128.load(value), v1 = v128.load(value, 16);
  const v2 = v128.load(value, 32), v3 = v128.load(value, 48);
  for (; query < end; query += 4) {
    const k = v128.load_splat<f32>(key);
    const q = v128.load_splat<f32>(query);
    const s0 = multiplyAdd(w, v128.load(state), f32x4.mul(k, v0));
    const s1 = multiplyAdd(w, v128.load(state, 16), f32x4.mul(k, v1));
    const s2 = multiplyAdd(w, v128.load(state, 32), f32x4.mul(k, v2));
    const s3 = multiplyAdd(w, v128.load(state, 48), f32x4.mul(k, v3));
    v128.store(next, s0);
    v128.store(next, s1, 16);
    v128.store(next, s2, 32);
    v128.store(next, s3, 48);
    sum0 = multiplyAdd(q, s0, sum0);
    sum1 = multiplyAdd(q, s1, sum1);
    sum2 = multiplyAdd(q, s2, sum2);
    sum3 = multiplyAdd(q, s3, sum3);
    key += 4;
    state += rowBytes;
    next += rowBytes;
  }
  v128.store(output, sum0);
  v128.store(output, sum1, 16);
  v128.store(output, sum2, 32);
  v128.store(output, sum3, 48);
}
