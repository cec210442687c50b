// y_t = Σ_j w_tj · down_e (silu(gate_e x_t) ⊙ up_e x_t), e = the j-th expert of token t (SPEC section 8).
// x, y [tokens, hidden]; gate, up [intermediate, hidden]; down [hidden, intermediate]; weights of any kind.

import { loadSome, storeSome } from "./elementwise";
import { choicesIn, groupByExpert, groupBytes, placesIn, startsIn } from "./expert-groups";
import { multiply, PACKING_BYTES } from "./gemm";
import { sigmoid } from "./sigmoid";
import { barrier, claim, shareStart } from "./threads";

/** Rows of one expert that a thread takes at once: enough to repay packing its weights. */
const BLOCK_ROWS: i32 = 128;

/** Arguments, 4 bytes each; addresses of gate, up and down of each expert follow. */
@unmanaged
class ExpertMixture {
  tokens: i32;
  k: i32;
  experts: i32;
  hidden: i32;
  intermediate: i32;
  x: usize;
  chosen: usize;
  weights: usize;
  output: usize;
  packing: usize;
  work: usize;
  /** Kind of gate and up, and of down. */
  kind: i32;
  downKind: i32;
}

/** Shared memory of one job, in float64 as it may be more than there is: groups, then rows in expert order. */
export function expertMixtureBytes(
  tokens: i32,
  k: i32,
  experts: i32,
  hidden: i32,
  intermediate: i32,
  threads: i32,
): f64 {
  const perPlace = <f64>hidden + <f64>intermediate;
  const perThread = <f64>BLOCK_ROWS * <f64>(hidden + intermediate);
  return <f64>groupBytes(tokens * k, experts) +
    4 * (<f64>tokens * <f64>k * perPlace + <f64>threads * perThread);
}

/** Address of an expert's parameter: 0 gate, 1 up, 2 down. */
// @ts-ignore: decorator
@inline
function parameter(args: usize, expert: i32, which: i32): usize {
  return load<usize>(args + ((<usize>(expert * 3 + which)) << 2), offsetof<ExpertMixture>());
}

export function expertMixture(args: usize, thread: i32, threads: i32): void {
  const job = changetype<ExpertMixture>(args);
  const choices = job.tokens * job.k;
  const groups = job.work;
  const inner = groups + groupBytes(choices, job.experts);
  const results = inner + ((<usize>(choices * job.intermediate)) << 2);
  const own = results + ((<usize>(choices * job.hidden)) << 2) +
    ((<usize>(thread * BLOCK_ROWS * (job.hidden + job.intermediate))) << 2);
  if (thread == 0) groupByExpert(job.chosen, choices, job.experts, groups);
  barrier(threads);
  let block = claim(0);
  let seen = 0;
  for (let expert = 0; expert < job.experts; expert++) {
    const start = startsIn(groups, choices) + ((<usize>expert) << 2);
    const first = load<i32>(start);
    const count = load<i32>(start, 4) - first;
    const blocks = (count + BLOCK_ROWS - 1) / BLOCK_ROWS;
    while (block < seen + blocks) {
      const from = first + (block - seen) * BLOCK_ROWS;
      mixBlock(args, thread, expert, from, min(BLOCK_ROWS, first + count - from), inner, results, own);
      block = claim(0);
    }
    seen += blocks;
  }
  barrier(threads);
  const firstToken = shareStart(job.tokens, thread, threads);
  const lastToken = shareStart(job.tokens, thread + 1, threads);
  for (let token = firstToken; token < lastToken; token++) {
    const to = job.output + ((<usize>(token * job.hidden)) << 2);
    for (let j = 0; j < job.k; j++) {
      const choice = (<usize>(token * job.k + j)) << 2;
      const place = load<i32>(placesIn(groups) + choice);
      const from = results + ((<usize>(place * job.hidden)) << 2);
      addScaled(to, from, load<f32>(job.weights + choice), job.hidden, j > 0);
    }
  }
}

/** `rows` places of one expert from `first` on. */
function mixBlock(
  args: usize,
  thread: i32,
  expert: i32,
  first: i32,
  rows: i32,
  inner: usize,
  results: usize,
  own: usize,
): void {
  const job = changetype<ExpertMixture>(args);
  const hidden = job.hidden;
  const intermediate = job.intermediate;
  const packing = job.packing + <usize>thread * PACKING_BYTES;
  const x = own;
  const gated = own + ((<usize>(BLOCK_ROWS * hidden)) << 2);
  gatherRows(choicesIn(job.work, job.tokens * job.k), first, rows, job.k, job.x, hidden, x);
  const up = inner + ((<usize>(first * intermediate)) << 2);
  multiply(rows, intermediate, hidden, x, hidden, 1, parameter(args, expert, 0), 1, hidden, gated, intermediate, false, packing, job.kind);
  multiply(rows, intermediate, hidden, x, hidden, 1, parameter(args, expert, 1), 1, hidden, up, intermediate, false, packing, job.kind);
  gate(up, gated, rows * intermediate);
  const to = results + ((<usize>(first * hidden)) << 2);
  multiply(rows, hidden, intermediate, up, intermediate, 1, parameter(args, expert, 2), 1, intermediate, to, hidden, false, packing, job.downKind);
}

/** Rows of the tokens at `rows` places from `first` on, side by side at `to`. */
export function gatherRows(
  choices: usize,
  first: i32,
  rows: i32,
  k: i32,
  from: usize,
  width: i32,
  to: usize,
): void {
  const bytes = (<usize>width) << 2;
  for (let i = 0; i < rows; i++) {
    const token = load<i32>(choices + ((<usize>(first + i)) << 2)) / k;
    memory.copy(to + <usize>i * bytes, from + <usize>token * bytes, bytes);
  }
}

/** up ⊙= silu(gated). */
export function gate(up: usize, gated: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const g = loadSome(gated + at, count - i);
    const product = f32x4.mul(loadSome(up + at, count - i), f32x4.mul(g, sigmoid(g)));
    storeSome(up + at, product, count - i);
  }
}

/** to (+)= scale · from. */
export function addScaled(to: usize, from: usize, scale: f32, count: i32, add: bool): void {
  const factor = f32x4.splat(scale);
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const left = count - i;
    const value = f32x4.mul(loadSome(from + at, left), factor);
    storeSome(to + at, add ? f32x4.add(value, loadSome(to + at, left)) : value, left);
  }
}
