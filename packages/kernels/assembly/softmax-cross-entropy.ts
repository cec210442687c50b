// loss = ln Σ e^x − x[target] for each row of logits, 0 for a row whose target is no place in it; and
// the gradient g · (softmax(x) − onehot(target)).

import { loadSome, storeSome, sumOfLanes } from "./elementwise";
import { exponential } from "./exponential";
import { logarithm } from "./logarithm";
import { shareStart } from "./threads";

@unmanaged
class SoftmaxCrossEntropy {
  rows: i32;
  size: i32;
  logits: usize;
  targets: usize;
  losses: usize;
}

export function softmaxCrossEntropy(args: usize, thread: i32, threads: i32): void {
  const job = changetype<SoftmaxCrossEntropy>(args);
  const size = job.size;
  const last = shareStart(job.rows, thread + 1, threads);
  for (let row = shareStart(job.rows, thread, threads); row < last; row++) {
    const target = load<i32>(job.targets + ((<usize>row) << 2));
    let loss: f32 = 0;
    if (<u32>target < <u32>size) {
      const x = job.logits + ((<usize>(row * size)) << 2);
      const most = largest(x, size);
      const top = f32x4.splat(most);
      const whole = size & ~3;
      let sums = f32x4.splat(0);
      for (let i = 0; i < whole; i += 4) {
        sums = f32x4.add(sums, exponential(f32x4.sub(v128.load(x + ((<usize>i) << 2)), top)));
      }
      let sum = sumOfLanes(sums);
      for (let i = whole; i < size; i++) sum += exponentialOf(load<f32>(x + ((<usize>i) << 2)) - most);
      const chosen = load<f32>(x + ((<usize>target) << 2));
      loss = <f32>logarithm(sum) + (most - chosen);
    }
    store<f32>(job.losses + ((<usize>row) << 2), loss);
  }
}

@unmanaged
class SoftmaxCrossEntropyGradient {
  rows: i32;
  size: i32;
  upstream: usize;
  logits: usize;
  targets: usize;
  logitsGradient: usize;
}

export function softmaxCrossEntropyGradient(args: usize, thread: i32, threads: i32): void {
  const job = changetype<SoftmaxCrossEntropyGradient>(args);
  const size = job.size;
  const last = shareStart(job.rows, thread + 1, threads);
  for (let row = shareStart(job.rows, thread, threads); row < last; row++) {
    const target = load<i32>(job.targets + ((<usize>row) << 2));
    const y = job.logitsGradient + ((<usize>(row * size)) << 2);
    if (<u32>target >= <u32>size) {
      memory.fill(y, 0, (<usize>size) << 2);
      continue;
    }
    const x = job.logits + ((<usize>(row * size)) << 2);
    const most = largest(x, size);
    const top = f32x4.splat(most);
    const whole = size & ~3;
    let sums = f32x4.splat(0);
    for (let i = 0; i < whole; i += 4) {
      const at = (<usize>i) << 2;
      const power = exponential(f32x4.sub(v128.load(x + at), top));
      v128.store(y + at, power);
      sums = f32x4.add(sums, power);
    }
    let sum = sumOfLanes(sums);
    for (let i = whole; i < size; i++) {
      const at = (<usize>i) << 2;
      const power = exponentialOf(load<f32>(x + at) - most);
      store<f32>(y + at, power);
      sum += power;
    }
    const upstream = load<f32>(job.upstream + ((<usize>row) << 2));
    const scale = f32x4.splat(upstream / sum);
    for (let i = 0; i < size; i += 4) {
      const at = (<usize>i) << 2;
      storeSome(y + at, f32x4.mul(loadSome(y + at, size - i), scale), size - i);
    }
    const place = y + ((<usize>target) << 2);
    store<f32>(place, load<f32>(place) - upstream);
  }
}

/** The largest of a row, NaN if one is. */
export function largest(x: usize, size: i32): f32 {
  let most = f32x4.splat(load<f32>(x));
  const whole = size & ~3;
  for (let i = 0; i < whole; i += 4) most = f32x4.max(most, v128.load(x + ((<usize>i) << 2)));
  let found = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  for (let i = whole; i < size; i++) found = max(found, load<f32>(x + ((<usize>i) << 2)));
  return found;
}

/** e^x of one float. */
// @ts-ignore: decorator
@inline
export function exponentialOf(x: f32): f32 {
  return f32x4.extract_lane(exponential(f32x4.splat(x)), 0);
}
