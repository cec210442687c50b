// One token through the mixture-of-experts block of a layer (SPEC 5, 8), for each row h of a batch:
//   x = norm(h);  ℓ = router x;  the k largest ℓ, w = softmax of them
//   h' = α · (x or h) + β · Σ_j w_j · down_e (silu(gate_e x) ⊙ up_e x)
// Every thread routes for itself, which costs less than waiting for one that does it for all.

import { addResidual, normalise, Residual } from "./block-step";
import { loadSome, numberShare, storeSome } from "./elementwise";
import { addScaled, gate } from "./expert-mixture";
import { exponential } from "./exponential";
import { dot, dotProducts } from "./matrix-product";
import { barrier } from "./threads";

/** Arguments, 4 bytes each; addresses of gate, up and down of each expert follow. */
@unmanaged
class MixtureBlockStep extends Residual {
  k: i32;
  experts: i32;
  intermediate: i32;
  router: usize;
  work: usize;
}

/** Memory of one job: per choice the inner row; per thread x, y, results, gates, logits and choices. */
export function mixtureBlockStepBytes(
  batch: i32,
  hidden: i32,
  k: i32,
  experts: i32,
  intermediate: i32,
  threads: i32,
): usize {
  const own = 3 * hidden + intermediate + experts + 2 * batch * k;
  return (<usize>(batch * k * intermediate + threads * own)) << 2;
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
  const own = 3 * hidden + intermediate + job.experts + 2 * choices;
  const x = job.work + ((<usize>(choices * intermediate + thread * own)) << 2);
  const y = x + wide;
  const result = y + wide;
  const gated = result + wide;
  const logits = gated + ((<usize>intermediate) << 2);
  const chosen = logits + ((<usize>job.experts) << 2);
  const weights = chosen + ((<usize>choices) << 2);
  const first = numberShare(intermediate, thread, threads);
  const last = numberShare(intermediate, thread + 1, threads);
  for (let row = 0; row < job.batch; row++) {
    normalise(job.inputRow(row), job.norm, hidden, job.epsilon, x);
    for (let e = 0; e < job.experts; e++) {
      const weight = job.router + <usize>e * wide;
      store<f32>(logits + ((<usize>e) << 2), dot(x, weight, hidden));
    }
    const own = (<usize>(row * job.k)) << 2;
    choose(logits, job.experts, job.k, chosen + own, weights + own);
    for (let j = 0; j < job.k; j++) {
      const expert = load<i32>(chosen + own + ((<usize>j) << 2));
      const up = job.work + ((<usize>((row * job.k + j) * intermediate)) << 2);
      dotProducts(first, last, hidden, x, parameter(args, expert, 0), hidden, gated);
      dotProducts(first, last, hidden, x, parameter(args, expert, 1), hidden, up);
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
      const inner = job.work + ((<usize>(choice * intermediate)) << 2);
      const down = parameter(args, expert, 2);
      dotProducts(firstOut, lastOut, intermediate, inner, down, intermediate, result);
      const weight = load<f32>(weights + ((<usize>choice) << 2));
      addScaled(y + from, result + from, weight, lastOut - firstOut, j > 0);
    }
    normalise(job.inputRow(row), job.norm, hidden, job.epsilon, x);
    addResidual(job, row, x, y, firstOut, lastOut);
  }
}

/** The k largest logits, the lower index among equals, and the softmax over them. */
function choose(logits: usize, experts: i32, k: i32, chosen: usize, weights: usize): void {
  let total: f32 = 0;
  let highest: f32 = 0;
  for (let j = 0; j < k; j++) {
    let best = -1;
    let most: f32 = 0;
    for (let e = 0; e < experts; e++) {
      const logit = load<f32>(logits + ((<usize>e) << 2));
      if ((best < 0 || logit > most) && !contains(chosen, j, e)) {
        best = e;
        most = logit;
      }
    }
    if (j == 0) highest = most;
    const weight = f32x4.extract_lane(exponential(f32x4.splat(most - highest)), 0);
    store<i32>(chosen + ((<usize>j) << 2), best);
    store<f32>(weights + ((<usize>j) << 2), weight);
    total += weight;
  }
  for (let j = 0; j < k; j++) {
    const at = weights + ((<usize>j) << 2);
    store<f32>(at, load<f32>(at) / total);
  }
}

function contains(chosen: usize, count: i32, expert: i32): bool {
  for (let j = 0; j < count; j++) if (load<i32>(chosen + ((<usize>j) << 2)) == expert) return true;
  return false;
}
