// Causal softmax attention with grouped queries, o_t = Σ_s softmax_s(q_t · k_s / √headDim) v_s over
// s ≤ t (SPEC section 7), for several tokens. Scores exist for one block of keys at a time: with m
// the largest score so far, l = Σ e^(s−m) and O = Σ e^(s−m) v are carried on by the factor
// e^(m_old − m_new) (Dao et al., "FlashAttention", 2022). Threads claim blocks of queries, those
// with most keys first.

import { countUntil, listPositions, listRows, Segments } from "./attended-keys";
import { hideLater, listQueries, NO_KEY } from "./attending-rows";
import { storeSome } from "./elementwise";
import { exponential } from "./exponential";
import { multiplyAdd } from "./gemm";
import { packRows, scatterRow } from "./panels";
import { scoreTile } from "./score-tile";
import { claim } from "./threads";
import { weightedTile } from "./weighted-tile";

/** Keys of one block. */
const KEYS: i32 = 64;

/** Arguments, 4 bytes each; then per segment its length and the addresses of keys and values. */
@unmanaged
class SoftmaxAttention {
  batch: i32;
  kvHeads: i32;
  /** Query heads per key-value head. */
  group: i32;
  length: i32;
  headDim: i32;
  /** Keys in all segments. */
  keys: i32;
  /** Tokens of one block of queries. */
  tokens: i32;
  scale: f32;
  queries: usize;
  mask: usize;
  output: usize;
  scratch: usize;
  scratchBytes: usize;
  segments: i32;
}

/** Bytes that a thread needs for blocks of `tokens` tokens. */
export function softmaxAttentionBytes(group: i32, tokens: i32, keys: i32, headDim: i32): usize {
  const rows = (group * tokens + 3) & ~3;
  const wide = (headDim + 7) & ~7;
  const floats = 16 + 4 + wide + rows * (4 + 2 * wide) + 3 * (keys + 8) + 2 * KEYS * wide + 4 * KEYS;
  return (((<usize>floats) << 2) + offsetof<Segments>() + 127) & ~63;
}

export function softmaxAttention(args: usize, thread: i32): void {
  const job = changetype<SoftmaxAttention>(args);
  const blocks = (job.length + job.tokens - 1) / job.tokens;
  const pairs = job.batch * job.kvHeads;
  for (;;) {
    const item = claim(0);
    if (item >= pairs * blocks) return;
    const block = blocks - 1 - item / pairs;
    attendBlock(job, item % pairs, block, job.scratch + <usize>thread * job.scratchBytes);
  }
}

function attendBlock(job: SoftmaxAttention, pair: i32, block: i32, scratch: usize): void {
  const headDim = job.headDim;
  const group = job.group;
  const wide = (headDim + 7) & ~7;
  const rowBytes = (<usize>headDim) << 2;
  const most = (group * job.tokens + 3) & ~3;
  const wideBytes = (<usize>(most * wide)) << 2;
  const factors = scratch;
  const correction = factors + 64;
  const zeros = correction + 16;
  const outputs = zeros + ((<usize>wide) << 2);
  const queryPanels = outputs + wideBytes;
  const keyPanels = queryPanels + wideBytes;
  const valuePanels = keyPanels + ((<usize>(KEYS * wide)) << 2);
  const scores = valuePanels + ((<usize>(KEYS * wide)) << 2);
  const offsets = scores + ((<usize>KEYS) << 4);
  const positions = offsets + ((<usize>most) << 2);
  const largest = positions + ((<usize>most) << 2);
  const sums = largest + ((<usize>most) << 2);
  const keyPositions = sums + ((<usize>most) << 2);
  const keyRows = keyPositions + ((<usize>(job.keys + 8)) << 2);
  const valueRows = keyRows + ((<usize>(job.keys + 8)) << 2);
  const segments = changetype<Segments>(valueRows + ((<usize>(job.keys + 8)) << 2));
  segments.count = job.segments;
  segments.width = 3;
  segments.table = changetype<usize>(job) + offsetof<SoftmaxAttention>();

  const first = block * job.tokens;
  const last = min(job.length, first + job.tokens);
  const past = job.keys - job.length;
  const mask = job.mask ? job.mask + ((<usize>(pair / job.kvHeads * job.keys)) << 2) : 0;
  const keys = listRows(segments, 1, pair, rowBytes, mask, past + last, keyRows);
  listRows(segments, 2, pair, rowBytes, mask, past + last, valueRows);
  listPositions(mask, past + last, keyPositions);
  const rows = listQueries(group, job.length, first, last, past, rowBytes, offsets, positions);
  const before = <usize>(pair * group * job.length) * rowBytes;

  for (let i: usize = 0; i < 64; i += 4) store<f32>(factors + i, job.scale);
  memory.fill(zeros, 0, (<usize>wide) << 2);
  memory.fill(outputs, 0, wideBytes);
  for (let row = 0; row < rows; row += 4) {
    v128.store(largest + ((<usize>row) << 2), f32x4.splat(NO_KEY));
    v128.store(sums + ((<usize>row) << 2), f32x4.splat(0));
  }
  packRows(job.queries + before, offsets, rows, 4, headDim, zeros, queryPanels);

  const valueStride = (<usize>KEYS) << 5;
  for (let start = 0; start < keys; start += KEYS) {
    const count = min(KEYS, keys - start);
    const blockPositions = keyPositions + ((<usize>start) << 2);
    packRows(0, keyRows + ((<usize>start) << 2), count, 8, headDim, zeros, keyPanels);
    for (let key = 0; key < count; key++) {
      const from = load<usize>(valueRows + ((<usize>(start + key)) << 2));
      scatterRow(from, headDim, 8, 1, valuePanels + ((<usize>key) << 5), valueStride);
    }
    let all = 0;
    let some = 0;
    for (let row = 0; row < rows; row += 4) {
      const at = (<usize>row) << 2;
      all = countUntil(blockPositions, count, all, load<i32>(positions + at));
      some = countUntil(blockPositions, count, some, load<i32>(positions + at, 12));
      if (some == 0) continue;
      const query = queryPanels + at * <usize>headDim;
      for (let key = 0; key < some; key += 8) {
        const panel = keyPanels + ((<usize>(key * headDim)) << 2);
        scoreTile(headDim, query, panel, factors + 28, scores + ((<usize>key) << 4));
      }
      const whole = (some + 3) & ~3;
      hideLater(scores, all, whole, blockPositions, positions + at);
      exponentiate(scores, whole, largest + at, sums + at, correction);
      const output = outputs + at * <usize>wide;
      for (let panel: usize = 0; panel < <usize>(wide >> 3); panel++) {
        const values = valuePanels + panel * valueStride;
        weightedTile(some, scores, values, correction, output + (panel << 7));
      }
    }
  }
  for (let row = 0; row < rows; row++) {
    const sum = load<f32>(sums + ((<usize>row) << 2));
    const from = outputs + ((<usize>((row >> 2) * wide)) << 4) + ((<usize>(row & 3)) << 5);
    const to = job.output + before + load<i32>(offsets + ((<usize>row) << 2));
    storeRow(from, headDim, sum > 0 ? 1 / sum : 0, to);
  }
}

/**
 * Scores of four rows become e^(s−m), where m and the sum of four rows are carried on. Four keys at
 * a time, as the constants of the exponential take as long to set up as one evaluation.
 */
function exponentiate(scores: usize, keys: i32, largest: usize, sums: usize, correction: usize): void {
  const end = scores + ((<usize>keys) << 4);
  const before = v128.load(largest);
  const most = largestOf(scores, end, before);
  let sum = f32x4.splat(0);
  for (let at = scores; at < end; at += 64) {
    const w0 = exponential(f32x4.sub(v128.load(at), most));
    const w1 = exponential(f32x4.sub(v128.load(at, 16), most));
    const w2 = exponential(f32x4.sub(v128.load(at, 32), most));
    const w3 = exponential(f32x4.sub(v128.load(at, 48), most));
    v128.store(at, w0);
    v128.store(at, w1, 16);
    v128.store(at, w2, 32);
    v128.store(at, w3, 48);
    sum = f32x4.add(sum, f32x4.add(f32x4.add(w0, w1), f32x4.add(w2, w3)));
  }
  const factor = exponential(f32x4.sub(before, most));
  v128.store(correction, factor);
  v128.store(largest, most);
  v128.store(sums, multiplyAdd(v128.load(sums), factor, sum));
}

/** The largest score of each of four rows, and of `least`; the number of keys is a multiple of four. */
// @ts-ignore: decorator
@inline
export function largestOf(scores: usize, end: usize, least: v128): v128 {
  let a = least;
  let b = least;
  for (let at = scores; at < end; at += 64) {
    a = f32x4.pmax(f32x4.pmax(a, v128.load(at)), v128.load(at, 16));
    b = f32x4.pmax(f32x4.pmax(b, v128.load(at, 32)), v128.load(at, 48));
  }
  return f32x4.pmax(a, b);
}

/** One row out of tiles of 4 × 8, times `factor`. */
export function storeRow(from: usize, columns: i32, factor: f32, to: usize): void {
  const f = f32x4.splat(factor);
  for (let column = 0; column < columns; column += 8) {
    storeSome(to, f32x4.mul(v128.load(from), f), columns - column);
    if (columns - column > 4) {
      storeSome(to + 16, f32x4.mul(v128.load(from, 16), f), columns - column - 4);
    }
    from += 128;
    to += 32;
  }
}
