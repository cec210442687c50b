// Gradients of expertMixture. For one expert with rows x, upstream d, routing weights w:
//   g = gate x, u = up x, a = silu(g), n = a ⊙ u, δ = downᵀ d   (recomputed, nothing is kept from the forward pass)
//   ∂w = δ · n,  ∂down = (w d)ᵀ n,  ∂u = w δ ⊙ a,  ∂g = w δ ⊙ u ⊙ silu'(g)
//   ∂up = ∂uᵀ x,  ∂gate = ∂gᵀ x,  ∂x = ∂g gate + ∂u up
// with silu'(g) = σ(g) (1 + g (1 − σ(g))).

import { loadSome, storeSome, sumOfLanes } from "./elementwise";
import { choicesIn, groupByExpert, groupBytes, placesIn, startsIn } from "./expert-groups";
import { addScaled, gatherRows } from "./expert-mixture";
import { multiply, PACKING_BYTES } from "./gemm";
import { sigmoid } from "./sigmoid";
import { barrier, claim, shareStart } from "./threads";

/** Arguments, 4 bytes each; then addresses of gate, up and down and of their gradients, per expert. */
@unmanaged
class ExpertMixtureGradient {
  tokens: i32;
  k: i32;
  experts: i32;
  hidden: i32;
  intermediate: i32;
  x: usize;
  chosen: usize;
  weights: usize;
  upstream: usize;
  xGradient: usize;
  weightsGradient: usize;
  packing: usize;
  work: usize;
}

/** Shared memory of one job: groups, then per place x, upstream, ∂x and four inner rows. */
export function expertMixtureGradientBytes(
  tokens: i32,
  k: i32,
  experts: i32,
  hidden: i32,
  intermediate: i32,
): f64 {
  return <f64>groupBytes(tokens * k, experts) +
    4 * <f64>tokens * <f64>k * (3 * <f64>hidden + 4 * <f64>intermediate);
}

// @ts-ignore: decorator
@inline
function address(args: usize, expert: i32, which: i32): usize {
  return load<usize>(args + ((<usize>(expert * 6 + which)) << 2), offsetof<ExpertMixtureGradient>());
}

export function expertMixtureGradient(args: usize, thread: i32, threads: i32): void {
  const job = changetype<ExpertMixtureGradient>(args);
  const choices = job.tokens * job.k;
  const groups = job.work;
  const rows = groups + groupBytes(choices, job.experts);
  if (thread == 0) groupByExpert(job.chosen, choices, job.experts, groups);
  barrier(threads);
  for (let expert = claim(0); expert < job.experts; expert = claim(0)) {
    const start = startsIn(groups, choices) + ((<usize>expert) << 2);
    const first = load<i32>(start);
    expertGradient(args, thread, expert, first, load<i32>(start, 4) - first, rows);
  }
  barrier(threads);
  const parts = rows + ((<usize>(2 * choices * job.hidden)) << 2);
  const lastToken = shareStart(job.tokens, thread + 1, threads);
  for (let token = shareStart(job.tokens, thread, threads); token < lastToken; token++) {
    const to = job.xGradient + ((<usize>(token * job.hidden)) << 2);
    for (let j = 0; j < job.k; j++) {
      const place = load<i32>(placesIn(groups) + ((<usize>(token * job.k + j)) << 2));
      addScaled(to, parts + ((<usize>(place * job.hidden)) << 2), 1, job.hidden, j > 0);
    }
  }
}

function expertGradient(args: usize, thread: i32, expert: i32, first: i32, n: i32, rows: usize): void {
  const job = changetype<ExpertMixtureGradient>(args);
  const hidden = job.hidden;
  const inner = job.intermediate;
  const choices = job.tokens * job.k;
  const packing = job.packing + <usize>thread * PACKING_BYTES;
  const order = choicesIn(job.work, choices);
  const wide = (<usize>(first * hidden)) << 2;
  const narrow = (<usize>(first * inner)) << 2;
  const allWide = (<usize>(choices * hidden)) << 2;
  const allNarrow = (<usize>(choices * inner)) << 2;
  const x = rows + wide;
  const outgoing = rows + allWide + wide;
  const part = rows + 2 * allWide + wide;
  const gated = rows + 3 * allWide + narrow;
  const up = gated + allNarrow;
  const product = up + allNarrow;
  const delta = product + allNarrow;
  const gateWeight = address(args, expert, 0);
  const upWeight = address(args, expert, 1);
  const downWeight = address(args, expert, 2);
  gatherRows(order, first, n, job.k, job.x, hidden, x);
  gatherRows(order, first, n, job.k, job.upstream, hidden, outgoing);
  multiply(n, inner, hidden, x, hidden, 1, gateWeight, 1, hidden, gated, inner, false, packing);
  multiply(n, inner, hidden, x, hidden, 1, upWeight, 1, hidden, up, inner, false, packing);
  multiply(n, inner, hidden, outgoing, hidden, 1, downWeight, inner, 1, delta, inner, false, packing);
  for (let i = 0; i < n; i++) {
    const choice = (<usize>load<i32>(order + ((<usize>(first + i)) << 2))) << 2;
    const weight = load<f32>(job.weights + choice);
    const at = (<usize>(i * inner)) << 2;
    const along = rowGradient(gated + at, up + at, product + at, delta + at, weight, inner);
    store<f32>(job.weightsGradient + choice, along);
    const row = outgoing + ((<usize>(i * hidden)) << 2);
    addScaled(row, row, weight, hidden, false);
  }
  const gateGradient = address(args, expert, 3);
  const upGradient = address(args, expert, 4);
  const downGradient = address(args, expert, 5);
  if (n == 0) {
    const bytes = (<usize>(inner * hidden)) << 2;
    memory.fill(gateGradient, 0, bytes);
    memory.fill(upGradient, 0, bytes);
    memory.fill(downGradient, 0, bytes);
    return;
  }
  multiply(hidden, inner, n, outgoing, 1, hidden, product, inner, 1, downGradient, inner, false, packing);
  multiply(inner, hidden, n, gated, 1, inner, x, hidden, 1, gateGradient, hidden, false, packing);
  multiply(inner, hidden, n, up, 1, inner, x, hidden, 1, upGradient, hidden, false, packing);
  multiply(n, hidden, inner, gated, inner, 1, gateWeight, hidden, 1, part, hidden, false, packing);
  multiply(n, hidden, inner, up, inner, 1, upWeight, hidden, 1, part, hidden, true, packing);
}

/** One row: g, u become ∂g, ∂u; n is written; returns δ · n. */
function rowGradient(g: usize, u: usize, n: usize, delta: usize, weight: f32, count: i32): f32 {
  const one = f32x4.splat(1);
  const w = f32x4.splat(weight);
  let along = f32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const left = count - i;
    const gi = loadSome(g + at, left);
    const ui = loadSome(u + at, left);
    const di = loadSome(delta + at, left);
    const s = sigmoid(gi);
    const activated = f32x4.mul(gi, s);
    const product = f32x4.mul(activated, ui);
    storeSome(n + at, product, left);
    along = f32x4.add(along, f32x4.mul(di, product));
    const weighted = f32x4.mul(di, w);
    storeSome(u + at, f32x4.mul(weighted, activated), left);
    const slope = f32x4.mul(s, f32x4.add(one, f32x4.mul(gi, f32x4.sub(one, s))));
    storeSome(g + at, f32x4.mul(f32x4.mul(weighted, ui), slope), left);
  }
  return sumOfLanes(along);
}
