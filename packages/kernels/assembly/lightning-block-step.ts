// One token through the attention block of a lightning layer (SPEC 5, 6.2, 6.3, 6.5), for each row h of a batch:
//   x = norm(h);  q, k, v = silu(qkv x) per head;  S ← λ S + kᵀ v;  o = q S
//   h' = α · (x or h) + β · out (norm(o) ⊙ σ(gate x))
// qkv [heads · 3 · headDim, hidden]: rows of a head are q, k, v in turn; gate [heads · headDim, hidden];
// out [hidden, heads · headDim]; S [batch, heads, headDim, headDim], key axis first. Weights of any kind.
// A thread projects and attends whole heads, so only the output projection must wait for the others.

import { addResidual, Residual } from "./block-step";
import { loadSome, storeSome } from "./elementwise";
import { stepHead } from "./lightning-step";
import { normaliseRow } from "./rms-norm";
import { sigmoid } from "./sigmoid";
import { barrier, shareStart } from "./threads";
import { addressIn, readyRow, readyRowBytes, setAddress, weightProducts } from "./weight-products";

/** The norm inside lightning attention has this epsilon whatever the config says (SPEC section 4). */
const INNER_EPSILON: f32 = 1e-6;

/** Arguments, 4 bytes each; the decay λ of each head follows as float32. */
@unmanaged
class LightningBlockStep extends Residual {
  heads: i32;
  headDim: i32;
  qkv: usize;
  innerNorm: usize;
  gate: usize;
  out: usize;
  state: usize;
  nextState: usize;
  work: usize;
  /** Kind of qkv and gate, and of out. */
  kind: i32;
  outKind: i32;
}

/** Memory of one job: per row projections, heads and gates; then that of each thread. */
export function lightningBlockStepBytes(
  batch: i32,
  hidden: i32,
  heads: i32,
  headDim: i32,
  threads: i32,
): usize {
  const width = heads * headDim;
  return ((<usize>(5 * batch * width)) << 2) + <usize>threads * ownBytes(batch, hidden, width);
}

/** Per row a ready row, x or z, y, and three addresses. */
function ownBytes(batch: i32, hidden: i32, width: i32): usize {
  const longest = max(hidden, width);
  return <usize>batch * (readyRowBytes(longest) + ((<usize>(longest + hidden + 3)) << 2));
}

export function lightningBlockStep(args: usize, thread: i32, threads: i32): void {
  const job = changetype<LightningBlockStep>(args);
  const batch = job.batch;
  const hidden = job.hidden;
  const headDim = job.headDim;
  const width = job.heads * headDim;
  const longest = max(hidden, width);
  const rowBytes = (<usize>width) << 2;
  const attended = job.work + 3 * <usize>batch * rowBytes;
  const gates = attended + <usize>batch * rowBytes;
  const xs = gates + <usize>batch * rowBytes + <usize>thread * ownBytes(batch, hidden, width);
  const qkvs = xs + ((<usize>batch) << 2);
  const gs = qkvs + ((<usize>batch) << 2);
  const x = gs + ((<usize>batch) << 2);
  const y = x + ((<usize>(batch * longest)) << 2);
  const ready = y + ((<usize>(batch * hidden)) << 2);
  for (let row = 0; row < batch; row++) {
    const normalised = x + ((<usize>(row * longest)) << 2);
    normaliseRow(job.inputRow(row), job.norm, hidden, job.epsilon, normalised);
    setAddress(xs, row, readyRow(normalised, hidden, job.kind, ready + <usize>row * readyRowBytes(longest)));
    setAddress(qkvs, row, job.work + 3 * <usize>row * rowBytes);
    setAddress(gs, row, gates + <usize>row * rowBytes);
  }
  const first = shareStart(job.heads, thread, threads);
  const last = shareStart(job.heads, thread + 1, threads);
  weightProducts(batch, 3 * first * headDim, 3 * last * headDim, hidden, xs, job.qkv, job.kind, qkvs);
  weightProducts(batch, first * headDim, last * headDim, hidden, xs, job.gate, job.kind, gs);
  for (let row = 0; row < batch; row++) {
    const qkv = addressIn(qkvs, row);
    const from = (<usize>(first * headDim)) << 2;
    sigmoidInPlace(qkv + 3 * from, 3 * (last - first) * headDim, true);
    sigmoidInPlace(addressIn(gs, row) + from, (last - first) * headDim, false);
    for (let head = first; head < last; head++) {
      const decay = load<f32>(args + ((<usize>head) << 2), offsetof<LightningBlockStep>());
      const matrix = (<usize>((row * job.heads + head) * headDim * headDim)) << 2;
      const o = attended + <usize>row * rowBytes + ((<usize>(head * headDim)) << 2);
      const q = qkv + ((<usize>(3 * head * headDim)) << 2);
      // k and v stand behind q.
      const k = q + ((<usize>headDim) << 2);
      const v = k + ((<usize>headDim) << 2);
      stepHead(headDim, 0, headDim, true, q, k, v, job.state + matrix, decay, o, job.nextState + matrix);
    }
  }
  barrier(threads);
  const ys = qkvs;
  for (let row = 0; row < batch; row++) {
    const z = x + ((<usize>(row * longest)) << 2);
    normaliseRow(attended + <usize>row * rowBytes, job.innerNorm, width, INNER_EPSILON, z);
    multiplyInPlace(z, gates + <usize>row * rowBytes, width);
    setAddress(xs, row, readyRow(z, width, job.outKind, ready + <usize>row * readyRowBytes(longest)));
    setAddress(ys, row, y + ((<usize>(row * hidden)) << 2));
  }
  const firstOut = shareStart(hidden, thread, threads);
  const lastOut = shareStart(hidden, thread + 1, threads);
  weightProducts(batch, firstOut, lastOut, width, xs, job.out, job.outKind, ys);
  for (let row = 0; row < batch; row++) addResidual(job, row, addressIn(ys, row), x, firstOut, lastOut);
}

/** x ← σ(x), or silu(x) = x σ(x). */
function sigmoidInPlace(x: usize, count: i32, silu: bool): void {
  for (let i = 0; i < count; i += 4) {
    const at = x + ((<usize>i) << 2);
    const value = loadSome(at, count - i);
    storeSome(at, silu ? f32x4.mul(value, sigmoid(value)) : sigmoid(value), count - i);
  }
}

/** x ⊙= y. */
function multiplyInPlace(x: usize, y: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    storeSome(x + at, f32x4.mul(loadSome(x + at, count - i), loadSome(y + at, count - i)), count - i);
  }
}
