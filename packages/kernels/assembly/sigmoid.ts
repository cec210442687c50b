// σ(x) = 1 / (1 + e⁻ˣ) of four floats, the gates made of it, and their gradients.

import { loadSome, numberShare, storeSome } from "./elementwise";
import { exponential } from "./exponential";

/** Within 2e-7 of σ(x), relative unless x < −87. */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))));
}

@unmanaged
class Silu {
  count: i32;
  x: usize;
  y: usize;
}

/** y = x · σ(x) */
export function silu(args: usize, thread: i32, threads: i32): void {
  const job = changetype<Silu>(args);
  const end = numberShare(job.count, thread + 1, threads);
  for (let i = numberShare(job.count, thread, threads); i < end; i += 4) {
    const at = (<usize>i) << 2;
    const x = loadSome(job.x + at, job.count - i);
    storeSome(job.y + at, f32x4.mul(x, sigmoid(x)), job.count - i);
  }
}

@unmanaged
class SiluGradient {
  count: i32;
  upstream: usize;
  x: usize;
  xGradient: usize;
}

/** dx = g · σ(x) · (1 + x · (1 − σ(x))) */
export function siluGradient(args: usize, thread: i32, threads: i32): void {
  const job = changetype<SiluGradient>(args);
  const one = f32x4.splat(1);
  const end = numberShare(job.count, thread + 1, threads);
  for (let i = numberShare(job.count, thread, threads); i < end; i += 4) {
    const at = (<usize>i) << 2;
    const left = job.count - i;
    const x = loadSome(job.x + at, left);
    const s = sigmoid(x);
    const slope = f32x4.mul(s, f32x4.add(one, f32x4.mul(x, f32x4.sub(one, s))));
    storeSome(job.xGradient + at, f32x4.mul(loadSome(job.upstream + at, left), slope), left);
  }
}

@unmanaged
class SigmoidGate {
  count: i32;
  x: usize;
  gate: usize;
  y: usize;
}

/** y = x · σ(gate) */
export function sigmoidGate(args: usize, thread: i32, threads: i32): void {
  const job = changetype<SigmoidGate>(args);
  const end = numberShare(job.count, thread + 1, threads);
  for (let i = numberShare(job.count, thread, threads); i < end; i += 4) {
    const at = (<usize>i) << 2;
    const left = job.count - i;
    const s = sigmoid(loadSome(job.gate + at, left));
    storeSome(job.y + at, f32x4.mul(loadSome(job.x + at, left), s), left);
  }
}

@unmanaged
class SigmoidGateGradient {
  count: i32;
  upstream: usize;
  x: usize;
  gate: usize;
  xGradient: usize;
  gateGradient: usize;
}

/** dx = g · σ(gate), dgate = g · x · σ(gate) · (1 − σ(gate)) */
export function sigmoidGateGradient(args: usize, thread: i32, threads: i32): void {
  const job = changetype<SigmoidGateGradient>(args);
  const one = f32x4.splat(1);
  const end = numberShare(job.count, thread + 1, threads);
  for (let i = numberShare(job.count, thread, threads); i < end; i += 4) {
    const at = (<usize>i) << 2;
    const left = job.count - i;
    const s = sigmoid(loadSome(job.gate + at, left));
    const gated = f32x4.mul(loadSome(job.upstream + at, left), s);
    storeSome(job.xGradient + at, gated, left);
    const slope = f32x4.mul(loadSome(job.x + at, left), f32x4.sub(one, s));
    storeSome(job.gateGradient + at, f32x4.mul(gated, slope), left);
  }
}
