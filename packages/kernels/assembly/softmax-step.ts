// Softmax attention of one token over a long cache: o = Σ_s e^(q·k_s/√headDim − m) v_s / Σ_s e^(…).
// The keys of a pair of batch and key-value head are cut into parts that threads claim; each part
// leaves its m, sum and o, which are then combined. Keys and values are read once, in place.

import { NO_KEY, HIDDEN } from "./attending-rows";
import { laneSums, loadSome, storeSome, sumOfLanes } from "./elementwise";
import { exponential } from "./exponential";
import { multiplyAdd } from "./gemm";
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
  return <usize>(heads * parts) * partBytes(headDim) + <usize>threads * ownBytes(headDim);
}

/** Of a thread: scores of two query heads, and a result that nobody reads. */
// @ts-ignore: decorator
@inline
function ownBytes(headDim: i32): usize {
  return ((<usize>(2 * KEYS)) << 2) + partBytes(headDim);
}

export function softmaxStep(args: usize, thread: i32, threads: i32): void {
  const job = changetype<SoftmaxStep>(args);
  const pairs = job.batch * job.kvHeads;
  const heads = pairs * job.group;
  const size = partBytes(job.headDim);
  const own = job.scratch + <usize>(heads * job.parts) * size + <usize>thread * ownBytes(job.headDim);
  for (;;) {
    const item = claim(0);
    if (item >= pairs * job.parts) break;
    const results = job.scratch + <usize>(item * job.group) * size;
    attendPart(job, item / job.parts, item % job.parts, own, results);
  }
  barrier(threads);
  if (thread == 0) unclaim(0);
  const last = shareStart(heads, thread + 1, threads);
  for (let head = shareStart(heads, thread, threads); head < last; head++) {
    const first = (head / job.group) * job.parts * job.group + (head % job.group);
    combine(job, job.scratch + <usize>first * size, (<usize>job.group) * size, head);
  }
}

function attendPart(job: SoftmaxStep, pair: i32, part: i32, own: usize, results: usize): void {
  const headDim = job.headDim;
  const rowBytes = (<usize>headDim) << 2;
  const size = partBytes(headDim);
  const first = shareStart(job.keys, part, job.parts);
  const last = shareStart(job.keys, part + 1, job.parts);
  const mask = job.mask ? job.mask + ((<usize>(pair / job.kvHeads * job.keys)) << 2) : 0;
  const queries = job.queries + <usize>(pair * job.group) * rowBytes;
  const scoresA = own;
  const scoresB = own + ((<usize>KEYS) << 2);
  const spare = scoresB + ((<usize>KEYS) << 2);
  memory.fill(results, 0, <usize>job.group * size);
  for (let head = 0; head < job.group; head++) store<f32>(results + <usize>head * size, NO_KEY);
  memory.fill(spare, 0, size);
  store<f32>(spare, NO_KEY);
  let segment = changetype<usize>(job) + offsetof<SoftmaxStep>();
  let start = 0;
  for (let s = 0; s < job.segments; s++) {
    const length = load<i32>(segment);
    const before = <usize>(pair * length) * rowBytes;
    const end = min(last, start + length);
    for (let key = max(first, start); key < end; key += KEYS) {
      const count = min(KEYS, end - key);
      const at = before + <usize>(key - start) * rowBytes;
      const keys = load<usize>(segment, 4) + at;
      const values = load<usize>(segment, 8) + at;
      const seen = mask ? mask + ((<usize>key) << 2) : 0;
      touch(values, <usize>count * rowBytes, scoresA);
      // Two heads at once, so that enough sums are under way; the last of an odd number goes with itself.
      for (let head = 0; head < job.group; head += 2) {
        const hasOther = head + 1 < job.group;
        const a = results + <usize>head * size;
        const b = hasOther ? a + size : spare;
        const query = queries + <usize>head * rowBytes;
        scoreKeys(query, hasOther ? query + rowBytes : query, keys, count, headDim, scoresA, scoresB);
        const factorA = exponentiate(scoresA, count, job.scale, seen, a);
        const factorB = exponentiate(scoresB, count, job.scale, seen, b);
        addValues(scoresA, scoresB, count, values, headDim, factorA, factorB, a + 16, b + 16);
      }
    }
    start += length;
    segment += 12;
  }
}

/** Reads each cache line in order: column by column, as they are added, memory is twice as slow. */
function touch(address: usize, bytes: usize, sink: usize): void {
  let lines = i32x4.splat(0);
  for (let i: usize = 0; i + 16 <= bytes; i += 64) lines = v128.xor(lines, v128.load(address + i));
  v128.store(sink, lines);
}

/** q · k of two queries and each key, four keys at a time. */
function scoreKeys(
  queryA: usize,
  queryB: usize,
  keys: usize,
  count: i32,
  headDim: i32,
  scoresA: usize,
  scoresB: usize,
): void {
  const rowBytes = (<usize>headDim) << 2;
  for (let key = 0; key < count; key += 4) {
    const left = count - key;
    // Behind the last key its own numbers stand for those that are missing.
    let k0 = keys + <usize>key * rowBytes;
    let k1 = left > 1 ? k0 + rowBytes : k0;
    let k2 = left > 2 ? k1 + rowBytes : k0;
    let k3 = left > 3 ? k2 + rowBytes : k0;
    let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0), a3 = f32x4.splat(0);
    let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0), b3 = f32x4.splat(0);
    let i: usize = 0;
    for (; i + 16 <= rowBytes; i += 16) {
      const qa = v128.load(queryA + i);
      const qb = v128.load(queryB + i);
      let k = v128.load(k0 + i);
      a0 = multiplyAdd(qa, k, a0);
      b0 = multiplyAdd(qb, k, b0);
      k = v128.load(k1 + i);
      a1 = multiplyAdd(qa, k, a1);
      b1 = multiplyAdd(qb, k, b1);
      k = v128.load(k2 + i);
      a2 = multiplyAdd(qa, k, a2);
      b2 = multiplyAdd(qb, k, b2);
      k = v128.load(k3 + i);
      a3 = multiplyAdd(qa, k, a3);
      b3 = multiplyAdd(qb, k, b3);
    }
    if (i < rowBytes) {
      const rest = <i32>((rowBytes - i) >> 2);
      const qa = loadSome(queryA + i, rest);
      const qb = loadSome(queryB + i, rest);
      let k = loadSome(k0 + i, rest);
      a0 = multiplyAdd(qa, k, a0);
      b0 = multiplyAdd(qb, k, b0);
      k = loadSome(k1 + i, rest);
      a1 = multiplyAdd(qa, k, a1);
      b1 = multiplyAdd(qb, k, b1);
      k = loadSome(k2 + i, rest);
      a2 = multiplyAdd(qa, k, a2);
      b2 = multiplyAdd(qb, k, b2);
      k = loadSome(k3 + i, rest);
      a3 = multiplyAdd(qa, k, a3);
      b3 = multiplyAdd(qb, k, b3);
    }
    v128.store(scoresA + ((<usize>key) << 2), laneSums(a0, a1, a2, a3));
    v128.store(scoresB + ((<usize>key) << 2), laneSums(b0, b1, b2, b3));
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

/** o ← factor · o + Σ weight · value, for two heads that share the values. */
function addValues(
  weightsA: usize,
  weightsB: usize,
  count: i32,
  values: usize,
  headDim: i32,
  factorA: f32,
  factorB: f32,
  a: usize,
  b: usize,
): void {
  const rowBytes = (<usize>headDim) << 2;
  const fa = f32x4.splat(factorA);
  const fb = f32x4.splat(factorB);
  const end = (<usize>count) << 2;
  let column = 0;
  for (; column + 16 <= headDim; column += 16) {
    let a0 = f32x4.mul(v128.load(a), fa);
    let a1 = f32x4.mul(v128.load(a, 16), fa);
    let a2 = f32x4.mul(v128.load(a, 32), fa);
    let a3 = f32x4.mul(v128.load(a, 48), fa);
    let b0 = f32x4.mul(v128.load(b), fb);
    let b1 = f32x4.mul(v128.load(b, 16), fb);
    let b2 = f32x4.mul(v128.load(b, 32), fb);
    let b3 = f32x4.mul(v128.load(b, 48), fb);
    let value = values;
    for (let i: usize = 0; i < end; i += 4) {
      const wa = v128.load_splat<f32>(weightsA + i);
      const wb = v128.load_splat<f32>(weightsB + i);
      const v0 = v128.load(value);
      const v1 = v128.load(value, 16);
      a0 = multiplyAdd(wa, v0, a0);
      b0 = multiplyAdd(wb, v0, b0);
      a1 = multiplyAdd(wa, v1, a1);
      b1 = multiplyAdd(wb, v1, b1);
      const v2 = v128.load(value, 32);
      const v3 = v128.load(value, 48);
      a2 = multiplyAdd(wa, v2, a2);
      b2 = multiplyAdd(wb, v2, b2);
      a3 = multiplyAdd(wa, v3, a3);
      b3 = multiplyAdd(wb, v3, b3);
      value += rowBytes;
    }
    v128.store(a, a0);
    v128.store(a, a1, 16);
    v128.store(a, a2, 32);
    v128.store(a, a3, 48);
    v128.store(b, b0);
    v128.store(b, b1, 16);
    v128.store(b, b2, 32);
    v128.store(b, b3, 48);
    a += 64;
    b += 64;
    values += 64;
  }
  for (; column < headDim; column += 4) {
    let sumA = f32x4.mul(v128.load(a), fa);
    let sumB = f32x4.mul(v128.load(b), fb);
    let value = values;
    for (let i: usize = 0; i < end; i += 4) {
      const v = loadSome(value, headDim - column);
      sumA = multiplyAdd(v128.load_splat<f32>(weightsA + i), v, sumA);
      sumB = multiplyAdd(v128.load_splat<f32>(weightsB + i), v, sumB);
      value += rowBytes;
    }
    v128.store(a, sumA);
    v128.store(b, sumB);
    a += 16;
    b += 16;
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
