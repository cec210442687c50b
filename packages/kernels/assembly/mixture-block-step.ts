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
import { readyRow, readyRowBytes, weightProducts } from "./weight-products";

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

/** Memory of one job: per choice the inner row; per thread a ready row, x, y, results, gates, logits and choices. */
export function mixtureBlockStepBytes(
  batch: i32,
  hidden: i32,
  k: i32,
  experts: i32,
  intermediate: i32,
  threads: i32,
): usize {
  return ((<usize>(batch * k * intermediate)) << 2) +
    <usize>threads * ownBytes(batch * k, hidden, experts, intermediate);
}

function ownBytes(choices: i32, hidden: i32, experts: i32, intermediate: i32): usize {
  return readyRowBytes(max(hidden, intermediate)) +
    ((<usize>(3 * hidden + intermediate + experts + 2 * choices)) << 2);
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
  const ready = job.work + ((<usize>(choices * intermediate)) << 2) +
    <usize>thread * ownBytes(choices, hidden, job.experts, intermediate);
  const x = ready + readyRowBytes(max(hidden, intermediate));
  const y = x + wide;
  const result = y + wide;
  const gated = result + wide;
  const logits = gated + ((<usize>intermediate) << 2);
  const chosen = logits + ((<usize>job.experts) << 2);
  const weights = chosen + ((<usize>choices) << 2);
  const first = numberShare(intermediate, thread, threads);
  const last = numberShare(intermediate, thread + 1, threads);
  for (let row = 0; row < job.batch; row++) {
    normaliseRow(job.inputRow(row), job.norm, hidden, job.epsilon, x);
    for (let e = 0; e < job.experts; e++) {
      const weight = job.router + <usize>e * wide;
      store<f32>(logits + ((<usize>e) << 2), dot(x, weight, hidden));
    }
    const own = (<usize>(row * job.k)) << 2;
    routeRow(logits, job.experts, job.k, chosen + own, weights + own);
    const input = readyRow(x, hidden, job.kind, ready);
    for (let j = 0; j < job.k; j++) {
      const expert = load<i32>(chosen + own + ((<usize>j) << 2));
      const up = job.work + ((<usize>((row * job.k + j) * intermediate)) << 2);
      weightProducts(first, last, hidden, input, parameter(args, expert, 0), job.kind, gated);
      weightProducts(first, last, hidden, input, parameter(args, expert, 1), job.kind, up);
      gate(up + ((<usize>first) << 2), gated + ((<usize>first) << 2), last - first);
    }
  }
  barrier(threads);
  const firstOut = numberShare(hidden, thread, threads);
  const lastOut = numberShare(hidden, thread + 1, threads);
  const from = (<usize>firstOut) << 2;
  for (let row = 0; row < job.batch; row++) {
    for (let j = 0; j < job.k; j++) {
      const choice = row * job.k + j;
      const expert = load<i32>(chosen + ((<usize>choice) << 2));
      const up = job.work + ((<usize>(choice * intermediate)) << 2);
      const inner = readyRow(up, intermediate, job.downKind, ready);
      weightProducts(firstOut, lastOut, intermediate, inner, parameter(args, expert, 2), job.downKind, result);
      const weight = load<f32>(weights + ((<usize>choice) << 2));
      addScaled(y + from, result + from, weight, lastOut - firstOut, j > 0);
    }
    normaliseRow(job.inputRow(row), job.norm, hidden, job.epsilon, x);
    addResidual(job, row, x, y, firstOut, lastOut);
  }
}
