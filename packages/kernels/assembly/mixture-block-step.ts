// One token through the mixture-of-experts block of a layer (SPEC 5, 8), for each row h of a batch:
//   x = norm(h);  ℓ = router x;  the k largest ℓ, w = softmax of them
//   h' = α · (x or h) + β · Σ_j w_j · down_e (silu(gate_e x) ⊙ up_e x)
// Every thread routes for itself, which costs less than waiting for one that does it for all.
// The router is float32; gate, up and down are of any kind.

import { addResidual, Residual } from "./block-step";
import { numberShare } from "./elementwise";
import { addScaled, gate } from "./expert-mixture";
import { dot } from "./matrix-product";
import { normaliseRow } from "./rms-norm";
import { routeRow } from "./route-top-experts";
import { barrier } from "./threads";
import { addressIn, readyRow, readyRowBytes, setAddress, weightProducts } from "./weight-products";

/** Arguments, 4 bytes each; addresses of gate, up and down of each expert follow. */
@unmanaged
class MixtureBlockStep extends Residual {
  k: i32;
  experts: i32;
  intermediate: i32;
  router: usize;
  work: usize;
  /** Kind of gate and up, and of down. */
  kind: i32;
  downKind: i32;
}

/** Memory of one job: per choice gated and inner row and result; then that of each thread. */
export function mixtureBlockStepBytes(
  batch: i32,
  hidden: i32,
  k: i32,
  experts: i32,
  intermediate: i32,
  threads: i32,
): usize {
  return ((<usize>(batch * k * (2 * intermediate + hidden))) << 2) +
    <usize>threads * ownBytes(batch, k, hidden, experts, intermediate);
}

/** Logits; per row x, y and a ready row; per choice a ready row, its expert, weight and four addresses. */
function ownBytes(batch: i32, k: i32, hidden: i32, experts: i32, intermediate: i32): usize {
  return ((<usize>(experts + batch * (2 * hidden + 6 * k))) << 2) +
    <usize>batch * (readyRowBytes(hidden) + <usize>k * readyRowBytes(intermediate));
}

// @ts-ignore: decorator
@inline
function parameter(args: usize, expert: i32, which: i32): usize {
  return load<usize>(args + ((<usize>(expert * 3 + which)) << 2), offsetof<MixtureBlockStep>());
}

export function mixtureBlockStep(args: usize, thread: i32, threads: i32): void {
  const job = changetype<MixtureBlockStep>(args);
  const hidden = job.hidden;
  const intermediate = job.intermediate;
  const choices = job.batch * job.k;
  const wide = (<usize>hidden) << 2;
  const inner = (<usize>intermediate) << 2;
  const table = (<usize>choices) << 2;
  const gates = job.work;
  const ups = gates + <usize>choices * inner;
  const results = ups + <usize>choices * inner;
  const chosen = results + <usize>choices * wide +
    <usize>thread * ownBytes(job.batch, job.k, hidden, job.experts, intermediate);
  const weights = chosen + table;
  const xs = weights + table;
  const gs = xs + table;
  const us = gs + table;
  const ys = us + table;
  const logits = ys + table;
  const x = logits + ((<usize>job.experts) << 2);
  const y = x + <usize>job.batch * wide;
  const readyRows = y + <usize>job.batch * wide;
  const readyInner = readyRows + <usize>job.batch * readyRowBytes(hidden);
  for (let row = 0; row < job.batch; row++) {
    const normalised = x + <usize>row * wide;
    normaliseRow(job.inputRow(row), job.norm, hidden, job.epsilon, normalised);
    for (let e = 0; e < job.experts; e++) {
      store<f32>(logits + ((<usize>e) << 2), dot(normalised, job.router + <usize>e * wide, hidden));
    }
    const own = (<usize>(row * job.k)) << 2;
    routeRow(logits, job.experts, job.k, chosen + own, weights + own);
    readyRow(normalised, hidden, job.kind, readyRows + <usize>row * readyRowBytes(hidden));
  }
  const first = numberShare(intermediate, thread, threads);
  const last = numberShare(intermediate, thread + 1, threads);
  for (let e = 0; e < job.experts; e++) {
    let rows = 0;
    for (let choice = 0; choice < choices; choice++) {
      if (load<i32>(chosen + ((<usize>choice) << 2)) != e) continue;
      const row = choice / job.k;
      setAddress(xs, rows, job.kind == 0 ? x + <usize>row * wide : readyRows + <usize>row * readyRowBytes(hidden));
      setAddress(gs, rows, gates + <usize>choice * inner);
      setAddress(us, rows++, ups + <usize>choice * inner);
    }
    if (rows == 0) continue;
    weightProducts(rows, first, last, hidden, xs, parameter(args, e, 0), job.kind, gs);
    weightProducts(rows, first, last, hidden, xs, parameter(args, e, 1), job.kind, us);
    for (let i = 0; i < rows; i++) {
      const from = (<usize>first) << 2;
      gate(addressIn(us, i) + from, addressIn(gs, i) + from, last - first);
    }
  }
  barrier(threads);
  const firstOut = numberShare(hidden, thread, threads);
  const lastOut = numberShare(hidden, thread + 1, threads);
  for (let e = 0; e < job.experts; e++) {
    let rows = 0;
    for (let choice = 0; choice < choices; choice++) {
      if (load<i32>(chosen + ((<usize>choice) << 2)) != e) continue;
      const scratch = readyInner + <usize>choice * readyRowBytes(intermediate);
      setAddress(xs, rows, readyRow(ups + <usize>choice * inner, intermediate, job.downKind, scratch));
      setAddress(ys, rows++, results + <usize>choice * wide);
    }
    if (rows == 0) continue;
    weightProducts(rows, firstOut, lastOut, intermediate, xs, parameter(args, e, 2), job.downKind, ys);
  }
  const from = (<usize>firstOut) << 2;
  for (let row = 0; row < job.batch; row++) {
    for (let j = 0; j < job.k; j++) {
      const choice = row * job.k + j;
      const weight = load<f32>(weights + ((<usize>choice) << 2));
      addScaled(y + from, results + <usize>choice * wide + from, weight, lastOut - firstOut, j > 0);
    }
    addResidual(job, row, y, x, firstOut, lastOut);
  }
}
