// Queries, keys and values of one token in the softmax attention block of a layer (SPEC 5, 7), for each
// row h of a batch: x = norm(h); q = rotate(Wq x), k = rotate(Wk x), v = Wv x. k and v go behind those of
// the cache's recent tokens, which move to the new place on the way. Threads share the heads.

import { normaliseRow } from "./rms-norm";
import { rotateRow } from "./rotary-embedding";
import { shareStart } from "./threads";
import { addressIn, readyRow, readyRowBytes, setAddress, weightProducts } from "./weight-products";

/** Arguments, 4 bytes each; `half` cosines, then as many sines, of each row follow as float32. */
@unmanaged
class SoftmaxInputsStep {
  batch: i32;
  hidden: i32;
  heads: i32;
  kvHeads: i32;
  headDim: i32;
  /** Half of the dimensions that are rotated. */
  half: i32;
  /** h, [batch, hidden]. */
  input: usize;
  norm: usize;
  epsilon: f32;
  /** Kind of the three projections. */
  kind: i32;
  queryProjection: usize;
  keyProjection: usize;
  valueProjection: usize;
  /** Recent tokens, their keys and values [batch, kvHeads, recent, headDim], and their next place. */
  recent: i32;
  keys: usize;
  values: usize;
  nextKeys: usize;
  nextValues: usize;
  /** [batch, heads, headDim] */
  queries: usize;
  /** Memory of each thread. */
  work: usize;
}

export function softmaxInputsStepBytes(batch: i32, hidden: i32, threads: i32): usize {
  return <usize>threads * ownBytes(batch, hidden);
}

/** Per row x, a ready row and two addresses. */
function ownBytes(batch: i32, hidden: i32): usize {
  return <usize>batch * (((<usize>(hidden + 2)) << 2) + readyRowBytes(hidden));
}

export function softmaxInputsStep(args: usize, thread: i32, threads: i32): void {
  const job = changetype<SoftmaxInputsStep>(args);
  const batch = job.batch;
  const hidden = job.hidden;
  const headDim = job.headDim;
  const halfBytes = (<usize>job.half) << 2;
  const xs = job.work + <usize>thread * ownBytes(batch, hidden);
  const ys = xs + ((<usize>batch) << 2);
  const normalised = ys + ((<usize>batch) << 2);
  const ready = normalised + ((<usize>(batch * hidden)) << 2);
  for (let row = 0; row < batch; row++) {
    const x = normalised + ((<usize>(row * hidden)) << 2);
    normaliseRow(job.input + ((<usize>(row * hidden)) << 2), job.norm, hidden, job.epsilon, x);
    setAddress(xs, row, readyRow(x, hidden, job.kind, ready + <usize>row * readyRowBytes(hidden)));
  }
  const pieces = job.heads + 2 * job.kvHeads;
  const last = shareStart(pieces, thread + 1, threads);
  for (let piece = shareStart(pieces, thread, threads); piece < last; piece++) {
    const isQuery = piece < job.heads;
    const isValue = piece >= job.heads + job.kvHeads;
    const head = isQuery ? piece : (piece - job.heads) % job.kvHeads;
    const weight = isQuery ? job.queryProjection : isValue ? job.valueProjection : job.keyProjection;
    // The outputs of a head are weights head · headDim on, written to the head's own place.
    const first = head * headDim;
    for (let row = 0; row < batch; row++) {
      const to = isQuery
        ? job.queries + ((<usize>((row * job.heads + head) * headDim)) << 2)
        : appendPlace(job, row * job.kvHeads + head, isValue);
      setAddress(ys, row, to - ((<usize>first) << 2));
    }
    weightProducts(batch, first, first + headDim, hidden, xs, weight, job.kind, ys);
    if (isValue) continue;
    for (let row = 0; row < batch; row++) {
      const cos = args + offsetof<SoftmaxInputsStep>() + 2 * <usize>row * halfBytes;
      const y = addressIn(ys, row) + ((<usize>first) << 2);
      rotateRow(y, y, headDim, job.half, cos, cos + halfBytes, 1);
    }
  }
}

/** Copies the recent tokens of a pair of row and key-value head to their next place; the place behind them. */
function appendPlace(job: SoftmaxInputsStep, pair: i32, isValue: bool): usize {
  const rowBytes = (<usize>job.headDim) << 2;
  const from = (isValue ? job.values : job.keys) + <usize>(pair * job.recent) * rowBytes;
  const to = (isValue ? job.nextValues : job.nextKeys) + <usize>(pair * (job.recent + 1)) * rowBytes;
  const bytes = <usize>job.recent * rowBytes;
  memory.copy(to, from, bytes);
  return to + bytes;
}
