// Softmax attention of one token over a long cache: o = Σ_s e^(q·k_s/√headDim − m) v_s / Σ_s e^(…).
// The keys of a pair of batch and key-value head are cut into parts that threads claim; each part
// leaves its m, sum and o, which are then combined. Keys and values are read once, in place.

import { NO_KEY, HIDDEN } from "./attending-rows";
import { loadSome, storeSome, sumOfLanes } from "./elementwise";
import { exponential } from "./exponential";
import { multiplyAdd } from "./gemm";
import { dotProducts } from "./matrix-product";
import { barrier, claim, shareStart, unclaim } from "./threads";

/** Keys at a time: they stay in the first cache while all query heads of the group read them. */
const KEYS: i32 = 64;

/** Arguments, 4 bytes each; then per segment its length and the addresses of keys and values. */
@unmanaged
class SoftmaxStep {
  batch: i32;
  kvHeads: i32;
  group: i32;
  headDim: i32;
  keys: i32;
  parts: i32;
  scale: f32;
  queries: usize;
  mask: usize;
  output: usize;
  /** Results of all parts, then of every thread the scores of {@link KEYS} keys. */
  scratch: usize;
  segments: i32;
}

/** Bytes of a part's result for one query head: m, sum, two numbers of room, o. */
// @ts-ignore: decorator
@inline
function partBytes(headDim: i32): usize {
  return (<usize>(4 + ((headDim + 3) & ~3))) << 2;
}

export function softmaxStepBytes(heads: i32, parts: i32, headDim: i32, threads: i32): usize {
  return <usize>(heads * parts) * partBytes(headDim) + ((<usize>(threads * KEYS)) << 2);
}

export function softmaxStep(args: usize, thread: i32, threads: i32): void {
  const job = changetype<SoftmaxStep>(args);
  const pairs = job.batch * job.kvHeads;
  const heads = pairs * job.group;
  const size = partBytes(job.headDim);
  const scores = job.scratch + <usize>(heads * job.parts) * size + ((<usize>(thread * KEYS)) << 2);
  for (;;) {
    const item = claim(0);
    if (item >= pairs * job.parts) break;
    const results = job.scratch + <usize>(item * job.group) * size;
    attendPart(job, item / job.parts, item % job.parts, scores, results);
  }
  barrier(threads);
  if (thread == 0) unclaim(0);
  const last = shareStart(heads, thread + 1, threads);
  for (let head = shareStart(heads, thread, threads); head < last; head++) {
    const first = (head / job.group) * job.parts * job.group + (head % job.group);
    combine(job, job.scratch + <usize>first * size, (<usize>job.group) * size, head);
  }
}

function attendPart(job: SoftmaxStep, pair: i32, part: i32, scores: usize, results: usize): void {
  const headDim = job.headDim;
  const rowBytes = (<usize>headDim) << 2;
  const size = partBytes(headDim);
  const first = shareStart(job.keys, part, job.parts);
  const last = shareStart(job.keys, part + 1, job.parts);
  const mask = job.mask ? job.mask + ((<usize>(pair / job.kvHeads * job.keys)) << 2) : 0;
  const queries = job.queries + <usize>(pair * job.group) * rowBytes;
  memory.fill(results, 0, <usize>job.group * size);
  for (let head = 0; head < job.group; head++) {
    store<f32>(results + <usize>head * size, NO_KEY);
  }
  let segment = changetype<usize>(job) + offsetof<SoftmaxStep>();
  let start = 0;
  for (let s = 0; s < job.segments; s++) {
    const length = load<i32>(segment);
    const before = <usize>(pair * length) * rowBytes;
    const end = min(last, start + length);
    for (let key = max(first, start); key < end; key += KEYS) {
      const count = min(KEYS, end - key);
      const at = before + <usize>(key - start) * rowBytes;
      for (let head = 0; head < job.group; head++) {
        const result = results + <usize>head * size;
        const query = queries + <usize>head * rowBytes;
        dotProducts(0, count, headDim, query, load<usize>(segment, 4) + at, headDim, scores);
        const seen = mask ? mask + ((<usize>key) << 2) : 0;
        const factor = exponentiate(scores, count, job.scale, seen, result);
        addValues(scores, count, load<usize>(segment, 8) + at, headDim, factor, result + 16);
      }
    }
    start += length;
    segment += 12;
  }
}

/** Scores become e^(s−m); m and the sum in `result` are carried on by the factor returned. */
function exponentiate(scores: usize, count: i32, scale: f32, mask: usize, result: usize): f32 {
  const s = f32x4.splat(scale);
  const hidden = f32x4.splat(HIDDEN);
  const before = load<f32>(result);
  let most = f32x4.splat(before);
  for (let i = 0; i < count; i += 4) {
    const at = scores + ((<usize>i) << 2);
    let score = f32x4.mul(v128.load(at), s);
    if (mask) {
      const real = f32x4.ne(loadSome(mask + ((<usize>i) << 2), count - i), f32x4.splat(0));
      score = v128.bitselect(score, hidden, real);
    } else if (count - i < 4) {
      // Numbers behind the last score are left from other keys.
      const inside = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count - i));
      score = v128.bitselect(score, hidden, inside);
    }
    v128.store(at, score);
    most = f32x4.max(most, score);
  }
  const largest = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  let sum = f32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    const at = scores + ((<usize>i) << 2);
    const weight = exponential(f32x4.sub(v128.load(at), f32x4.splat(largest)));
    v128.store(at, weight);
    sum = f32x4.add(sum, weight);
  }
  const factor = f32x4.extract_lane(exponential(f32x4.splat(before - largest)), 0);
  store<f32>(result, largest);
  store<f32>(result, load<f32>(result, 4) * factor + sumOfLanes(sum), 4);
  return factor;
}

/** o ← factor · o + Σ weight · value. */
function addValues(
  weights: usize,
  count: i32,
  values: usize,
  headDim: i32,
  factor: f32,
  o: usize,
): void {
  const rowBytes = (<usize>headDim) << 2;
  const f = f32x4.splat(factor);
  const end = weights + ((<usize>count) << 2);
  let column = 0;
  for (; column + 16 <= headDim; column += 16) {
    let o0 = f32x4.mul(v128.load(o), f);
    let o1 = f32x4.mul(v128.load(o, 16), f);
    let o2 = f32x4.mul(v128.load(o, 32), f);
    let o3 = f32x4.mul(v128.load(o, 48), f);
    let value = values;
    for (let at = weights; at < end; at += 4) {
      const weight = v128.load_splat<f32>(at);
      o0 = multiplyAdd(weight, v128.load(value), o0);
      o1 = multiplyAdd(weight, v128.load(value, 16), o1);
      o2 = multiplyAdd(weight, v128.load(value, 32), o2);
      o3 = multiplyAdd(weight, v128.load(value, 48), o3);
      value += rowBytes;
    }
    v128.store(o, o0);
    v128.store(o, o1, 16);
    v128.store(o, o2, 32);
    v128.store(o, o3, 48);
    o += 64;
    values += 64;
  }
  for (; column < headDim; column += 4) {
    let sum = f32x4.mul(v128.load(o), f);
    let value = values;
    for (let at = weights; at < end; at += 4) {
      sum = multiplyAdd(v128.load_splat<f32>(at), loadSome(value, headDim - column), sum);
      value += rowBytes;
    }
    v128.store(o, sum);
    o += 16;
    values += 16;
  }
}

/** The output of one query head out of the results of all parts, `stride` bytes apart. */
function combine(job: SoftmaxStep, results: usize, stride: usize, head: i32): void {
  const end = results + <usize>job.parts * stride;
  let largest: f32 = NO_KEY;
  for (let at = results; at < end; at += stride) largest = max(largest, load<f32>(at));
  let sum: f32 = 0;
  for (let at = results; at < end; at += stride) {
    const factor = f32x4.extract_lane(exponential(f32x4.splat(load<f32>(at) - largest)), 0);
    store<f32>(at, factor);
    sum += factor * load<f32>(at, 4);
  }
  const whole = f32x4.splat(sum > 0 ? 1 / sum : 0);
  const output = job.output + ((<usize>(head * job.headDim)) << 2);
  for (let column = 0; column < job.headDim; column += 4) {
    const place = (<usize>column) << 2;
    let o = f32x4.splat(0);
    for (let at = results; at < end; at += stride) {
      o = multiplyAdd(v128.load_splat<f32>(at), v128.load(at + 16 + place), o);
    }
    storeSome(output + place, f32x4.mul(o, whole), job.headDim - column);
  }
}
