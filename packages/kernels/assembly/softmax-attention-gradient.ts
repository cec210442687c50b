// The backward pass of softmax attention. With P the softmax, do the upstream gradient and
// δ_t = Σ_s P_ts (do_t · v_s):
//   dS_ts = P_ts (do_t · v_s − δ_t) / √headDim
//   dq_t = Σ_s dS_ts k_s,   dk_s = Σ_t dS_ts q_t,   dv_s = Σ_t P_ts do_t
// P is computed again for one block of queries and all keys before them, so that five products are
// enough. A piece of work is a pair of batch and key-value head, or when pairs are few, every n-th
// block of its queries; then each piece sums dk and dv for itself and the sums are added at the end.

import { countUntil, listPositions, listRows, Segments } from "./attended-keys";
import { hideLater, listQueries, NO_KEY } from "./attending-rows";
import { exponential } from "./exponential";
import { multiplyAdd } from "./gemm";
import { packRows, scatterRow } from "./panels";
import { scoreTile } from "./score-tile";
import { largestOf, storeRow } from "./softmax-attention";
import { barrier, claim, shareStart } from "./threads";
import { addingTile, weightedTile } from "./weighted-tile";

/** Keys packed at a time. */
const KEYS: i32 = 64;

/** Arguments, 4 bytes each; then per segment its length and the addresses of keys, values and their gradients. */
@unmanaged
class SoftmaxAttentionGradient {
  batch: i32;
  kvHeads: i32;
  group: i32;
  length: i32;
  headDim: i32;
  keys: i32;
  /** Tokens of one block of queries. */
  tokens: i32;
  /** Pieces of work per pair. */
  parts: i32;
  scale: f32;
  queries: usize;
  mask: usize;
  upstream: usize;
  queriesGradient: usize;
  /** Gradients of keys and values of one pair, for every piece but the first of a pair. */
  partial: usize;
  scratch: usize;
  scratchBytes: usize;
  segments: i32;
}

/** Bytes that a thread needs for blocks of `tokens` tokens. */
export function softmaxGradientBytes(group: i32, tokens: i32, keys: i32, headDim: i32): usize {
  const rows = (group * tokens + 3) & ~3;
  const wide = (headDim + 7) & ~7;
  const padded = keys + 8;
  const floats =
    64 + wide + 2 * rows + 5 * padded + 5 * rows * wide + 3 * KEYS * wide + 4 * rows * padded;
  return (((<usize>floats) << 2) + 2 * offsetof<Segments>() + 8 + 127) & ~63;
}

export function softmaxAttentionGradient(args: usize, thread: i32, threads: i32): void {
  const job = changetype<SoftmaxAttentionGradient>(args);
  const pairs = job.batch * job.kvHeads;
  for (;;) {
    const item = claim(0);
    if (item >= pairs * job.parts) break;
    const scratch = job.scratch + <usize>thread * job.scratchBytes;
    runPiece(job, item / job.parts, item % job.parts, scratch);
  }
  if (job.parts == 1) return;
  barrier(threads);
  for (let pair = 0; pair < pairs; pair++) addPartial(job, pair, thread, threads);
}

/** Where a piece sums its gradients of all keys; those of all values stand behind. */
function partialOf(job: SoftmaxAttentionGradient, pair: i32, part: i32): usize {
  const size = (<usize>(job.keys * job.headDim)) << 3;
  return job.partial + <usize>(pair * (job.parts - 1) + part - 1) * size;
}

function tableOf(job: SoftmaxAttentionGradient): usize {
  return changetype<usize>(job) + offsetof<SoftmaxAttentionGradient>();
}

function runPiece(job: SoftmaxAttentionGradient, pair: i32, part: i32, scratch: usize): void {
  const headDim = job.headDim;
  const wide = (headDim + 7) & ~7;
  const rowBytes = (<usize>headDim) << 2;
  const most = (job.group * job.tokens + 3) & ~3;
  const wideBytes = (<usize>(most * wide)) << 2;
  const keyBytes = (<usize>(KEYS * wide)) << 2;
  const listBytes = (<usize>(job.keys + 8)) << 2;
  const scale = scratch;
  const ones = scale + 64;
  const edge = ones + 64;
  const zeros = edge + 128;
  const offsets = zeros + ((<usize>wide) << 2);
  const positions = offsets + ((<usize>most) << 2);
  const keyPositions = positions + ((<usize>most) << 2);
  const keyRows = keyPositions + listBytes;
  const valueRows = keyRows + listBytes;
  const keyGradients = valueRows + listBytes;
  const valueGradients = keyGradients + listBytes;
  const queryPanels = valueGradients + listBytes;
  const upstreamPanels = queryPanels + wideBytes;
  const queryColumns = upstreamPanels + wideBytes;
  const upstreamColumns = queryColumns + wideBytes;
  const outputs = upstreamColumns + wideBytes;
  const keyPanels = outputs + wideBytes;
  const valuePanels = keyPanels + keyBytes;
  const keyColumns = valuePanels + keyBytes;
  const squareBytes = listBytes * <usize>most;
  const scores = keyColumns + keyBytes;
  const slopes = scores + squareBytes;
  const weightsByKey = slopes + squareBytes;
  const slopesByKey = weightsByKey + squareBytes;
  const segments = changetype<Segments>(slopesByKey + squareBytes);

  for (let i: usize = 0; i < 64; i += 4) {
    store<f32>(scale + i, job.scale);
    store<f32>(ones + i, 1);
  }
  memory.fill(zeros, 0, (<usize>wide) << 2);
  const mask = job.mask ? job.mask + ((<usize>(pair / job.kvHeads * job.keys)) << 2) : 0;
  segments.count = job.segments;
  segments.width = 5;
  segments.table = tableOf(job);
  const keys = listRows(segments, 1, pair, rowBytes, mask, job.keys, keyRows);
  listRows(segments, 2, pair, rowBytes, mask, job.keys, valueRows);
  listPositions(mask, job.keys, keyPositions);
  if (part == 0) {
    clearGradients(segments, pair, rowBytes);
    listRows(segments, 3, pair, rowBytes, mask, job.keys, keyGradients);
    listRows(segments, 4, pair, rowBytes, mask, job.keys, valueGradients);
  } else {
    // One segment of its own, laid out behind.
    const partial = partialOf(job, pair, part);
    const bytes = <usize>job.keys * rowBytes;
    memory.fill(partial, 0, 2 * bytes);
    segments.count = 1;
    segments.table = changetype<usize>(segments) + offsetof<Segments>();
    store<i32>(segments.table, job.keys);
    store<usize>(segments.table, partial, 4);
    store<usize>(segments.table, partial + bytes, 8);
    listRows(segments, 1, 0, rowBytes, mask, job.keys, keyGradients);
    listRows(segments, 2, 0, rowBytes, mask, job.keys, valueGradients);
  }

  const past = job.keys - job.length;
  const before = <usize>(pair * job.group * job.length) * rowBytes;
  const columnStride = (<usize>most) << 5;
  const scoreStride = listBytes << 2;
  const byKeyStride = (<usize>most) << 4;
  for (let first = part * job.tokens; first < job.length; first += job.parts * job.tokens) {
    const last = min(job.length, first + job.tokens);
    const rows = listQueries(job.group, job.length, first, last, past, rowBytes, offsets, positions);
    packRows(job.queries + before, offsets, rows, 4, headDim, zeros, queryPanels);
    packRows(job.upstream + before, offsets, rows, 4, headDim, zeros, upstreamPanels);
    for (let row = 0; row < rows; row++) {
      const from = before + load<i32>(offsets + ((<usize>row) << 2));
      const to = (<usize>row) << 5;
      scatterRow(job.queries + from, headDim, 8, 1, queryColumns + to, columnStride);
      scatterRow(job.upstream + from, headDim, 8, 1, upstreamColumns + to, columnStride);
    }
    memory.fill(outputs, 0, wideBytes);

    const visible = countUntil(keyPositions, keys, 0, past + last - 1);
    for (let start = 0; start < visible; start += KEYS) {
      const count = min(KEYS, visible - start);
      const list = (<usize>start) << 2;
      packRows(0, keyRows + list, count, 8, headDim, zeros, keyPanels);
      packRows(0, valueRows + list, count, 8, headDim, zeros, valuePanels);
      for (let row = 0; row < rows; row += 4) {
        const seen = countUntil(keyPositions + list, count, 0, load<i32>(positions + ((<usize>row) << 2), 12));
        const panel = (<usize>(row * headDim)) << 2;
        const square = <usize>(row >> 2) * scoreStride + ((<usize>start) << 4);
        for (let key = 0; key < seen; key += 8) {
          const other = (<usize>(key * headDim)) << 2;
          const to = square + ((<usize>key) << 4);
          scoreTile(headDim, queryPanels + panel, keyPanels + other, scale + 28, scores + to);
          scoreTile(headDim, upstreamPanels + panel, valuePanels + other, ones + 28, slopes + to);
        }
      }
    }

    let all = 0;
    let some = 0;
    for (let row = 0; row < rows; row += 4) {
      const at = positions + ((<usize>row) << 2);
      all = countUntil(keyPositions, keys, all, load<i32>(at));
      some = countUntil(keyPositions, keys, some, load<i32>(at, 12));
      const square = <usize>(row >> 2) * scoreStride;
      const byKey = (<usize>row) << 4;
      const end = (some + 3) & ~3;
      hideLater(scores + square, all, end, keyPositions, at);
      weigh(scores + square, slopes + square, end, job.scale, weightsByKey + byKey, slopesByKey + byKey, byKeyStride);
    }

    for (let start = 0; start < visible; start += KEYS) {
      const count = min(KEYS, visible - start);
      const list = (<usize>start) << 2;
      for (let key = 0; key < count; key++) {
        const from = load<usize>(keyRows + list + ((<usize>key) << 2));
        scatterRow(from, headDim, 8, 1, keyColumns + ((<usize>key) << 5), (<usize>KEYS) << 5);
      }
      for (let row = 0; row < rows; row += 4) {
        const seen = countUntil(keyPositions + list, count, 0, load<i32>(positions + ((<usize>row) << 2), 12));
        const square = <usize>(row >> 2) * scoreStride + ((<usize>start) << 4);
        const output = outputs + ((<usize>(row * wide)) << 2);
        if (seen == 0) continue;
        for (let panel: usize = 0; panel < <usize>(wide >> 3); panel++) {
          const columns = keyColumns + ((panel * <usize>KEYS) << 5);
          weightedTile(seen, slopes + square, columns, ones, output + (panel << 7));
        }
      }
    }
    for (let row = 0; row < rows; row++) {
      const from = outputs + ((<usize>((row >> 2) * wide)) << 4) + ((<usize>(row & 3)) << 5);
      const to = job.queriesGradient + before + load<i32>(offsets + ((<usize>row) << 2));
      storeRow(from, headDim, 1, to);
    }

    let firstRow = 0;
    for (let key = 0; key < visible; key += 4) {
      // Rows before see none of the four keys.
      const earliest = load<i32>(keyPositions + ((<usize>key) << 2));
      while (load<i32>(positions + ((<usize>firstRow) << 2), 12) < earliest) firstRow += 4;
      const square = <usize>(key >> 2) * byKeyStride + ((<usize>firstRow) << 4);
      const rest = rows - firstRow;
      const list = (<usize>key) << 2;
      const columns = (<usize>firstRow) << 5;
      const count = min(4, visible - key);
      addProduct(rest, weightsByKey + square, upstreamColumns + columns, columnStride, headDim, valueGradients + list, count, edge);
      addProduct(rest, slopesByKey + square, queryColumns + columns, columnStride, headDim, keyGradients + list, count, edge);
    }
  }
}

/**
 * Softmax of four rows of scores and the slopes by the chain rule. `slopes` hold do · v and get dS;
 * P and dS are stored a second time with four keys side by side, groups of four keys `stride` apart.
 */
function weigh(
  scores: usize,
  slopes: usize,
  keys: i32,
  scale: f32,
  weightsByKey: usize,
  slopesByKey: usize,
  stride: usize,
): void {
  const bytes = (<usize>keys) << 4;
  const most = largestOf(scores, scores + bytes, f32x4.splat(NO_KEY));
  let sum = f32x4.splat(0);
  let along = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 64) {
    const w0 = exponential(f32x4.sub(v128.load(scores + at), most));
    const w1 = exponential(f32x4.sub(v128.load(scores + at, 16), most));
    const w2 = exponential(f32x4.sub(v128.load(scores + at, 32), most));
    const w3 = exponential(f32x4.sub(v128.load(scores + at, 48), most));
    v128.store(scores + at, w0);
    v128.store(scores + at, w1, 16);
    v128.store(scores + at, w2, 32);
    v128.store(scores + at, w3, 48);
    sum = f32x4.add(sum, f32x4.add(f32x4.add(w0, w1), f32x4.add(w2, w3)));
    along = multiplyAdd(w0, v128.load(slopes + at), along);
    along = multiplyAdd(w1, v128.load(slopes + at, 16), along);
    along = multiplyAdd(w2, v128.load(slopes + at, 32), along);
    along = multiplyAdd(w3, v128.load(slopes + at, 48), along);
  }
  // Rows that see no key have weights 0 and stay so.
  const inverse = f32x4.div(f32x4.splat(1), f32x4.max(sum, f32x4.splat(1e-30)));
  const delta = f32x4.mul(along, inverse);
  const scaled = f32x4.mul(inverse, f32x4.splat(scale));
  for (let at: usize = 0; at < bytes; at += 64) {
    const e0 = v128.load(scores + at), e1 = v128.load(scores + at, 16);
    const e2 = v128.load(scores + at, 32), e3 = v128.load(scores + at, 48);
    storeTransposed(f32x4.mul(e0, inverse), f32x4.mul(e1, inverse), f32x4.mul(e2, inverse), f32x4.mul(e3, inverse), weightsByKey);
    const s0 = f32x4.mul(f32x4.mul(e0, scaled), f32x4.sub(v128.load(slopes + at), delta));
    const s1 = f32x4.mul(f32x4.mul(e1, scaled), f32x4.sub(v128.load(slopes + at, 16), delta));
    const s2 = f32x4.mul(f32x4.mul(e2, scaled), f32x4.sub(v128.load(slopes + at, 32), delta));
    const s3 = f32x4.mul(f32x4.mul(e3, scaled), f32x4.sub(v128.load(slopes + at, 48), delta));
    v128.store(slopes + at, s0);
    v128.store(slopes + at, s1, 16);
    v128.store(slopes + at, s2, 32);
    v128.store(slopes + at, s3, 48);
    storeTransposed(s0, s1, s2, s3, slopesByKey);
    weightsByKey += stride;
    slopesByKey += stride;
  }
}

// @ts-ignore: decorator
@inline
function storeTransposed(a: v128, b: v128, c: v128, d: v128, to: usize): void {
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(to, v128.shuffle<i64>(ab, cd, 1, 3), 16);
  v128.store(to, v128.shuffle<i64>(abHigh, cdHigh, 0, 2), 32);
  v128.store(to, v128.shuffle<i64>(abHigh, cdHigh, 1, 3), 48);
}

/** Adds A B to up to four rows of a gradient, whose addresses are listed. */
function addProduct(
  depth: i32,
  a: usize,
  b: usize,
  stride: usize,
  headDim: i32,
  list: usize,
  count: i32,
  edge: usize,
): void {
  const row0 = load<usize>(list);
  const row1 = count > 1 ? load<usize>(list, 4) : 0;
  const row2 = count > 2 ? load<usize>(list, 8) : 0;
  const row3 = count > 3 ? load<usize>(list, 12) : 0;
  for (let column = 0; column < headDim; column += 8) {
    const at = (<usize>column) << 2;
    if (column + 8 <= headDim) {
      addingTile(
        depth,
        a,
        b,
        row0 + at,
        row1 ? row1 + at : edge + 32,
        row2 ? row2 + at : edge + 64,
        row3 ? row3 + at : edge + 96,
      );
    } else {
      memory.fill(edge, 0, 128);
      addingTile(depth, a, b, edge, edge + 32, edge + 64, edge + 96);
      for (let i = 0; i < count; i++) {
        const row = load<usize>(list + ((<usize>i) << 2)) + at;
        const from = edge + ((<usize>i) << 5);
        for (let j: usize = 0; j < (<usize>(headDim - column)) << 2; j += 4) {
          store<f32>(row + j, load<f32>(row + j) + load<f32>(from + j));
        }
      }
    }
    b += stride;
  }
}

function clearGradients(segments: Segments, pair: i32, rowBytes: usize): void {
  for (let s = 0; s < segments.count; s++) {
    const segment = segments.table + ((<usize>(s * segments.width)) << 2);
    const bytes = <usize>load<i32>(segment) * rowBytes;
    memory.fill(load<usize>(segment, 12) + <usize>pair * bytes, 0, bytes);
    memory.fill(load<usize>(segment, 16) + <usize>pair * bytes, 0, bytes);
  }
}

/** Adds what the other pieces of a pair have summed; each thread takes a share of every segment. */
function addPartial(job: SoftmaxAttentionGradient, pair: i32, thread: i32, threads: i32): void {
  const all = (<usize>(job.keys * job.headDim)) << 2;
  for (let part = 1; part < job.parts; part++) {
    let from = partialOf(job, pair, part);
    for (let s = 0; s < job.segments; s++) {
      const segment = tableOf(job) + <usize>s * 20;
      const count = load<i32>(segment) * job.headDim;
      const first = (<usize>shareStart(count, thread, threads)) << 2;
      const last = (<usize>shareStart(count, thread + 1, threads)) << 2;
      const before = (<usize>(pair * count)) << 2;
      const keys = load<usize>(segment, 12) + before;
      const values = load<usize>(segment, 16) + before;
      for (let at = first; at < last; at += 4) {
        store<f32>(keys + at, load<f32>(keys + at) + load<f32>(from + at));
        store<f32>(values + at, load<f32>(values + at) + load<f32>(from + all + at));
      }
      from += (<usize>count) << 2;
    }
  }
}
