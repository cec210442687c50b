// The k largest of few logits in each row by insertion, earlier ones first among equals, and softmax
// over them; gradient dl[chosen] = w ⊙ (g − Σ g w), 0 for the others.

import { exponential } from "./exponential";
import { shareStart } from "./threads";

@unmanaged
class RouteTopExperts {
  rows: i32;
  count: i32;
  k: i32;
  logits: usize;
  experts: usize;
  weights: usize;
}

export function routeTopExperts(args: usize, thread: i32, threads: i32): void {
  const job = changetype<RouteTopExperts>(args);
  const last = shareStart(job.rows, thread + 1, threads);
  for (let row = shareStart(job.rows, thread, threads); row < last; row++) {
    const at = (<usize>(row * job.k)) << 2;
    const logits = job.logits + ((<usize>(row * job.count)) << 2);
    routeRow(logits, job.count, job.k, job.experts + at, job.weights + at);
  }
}

/** Experts and weights of one row of logits. */
export function routeRow(logits: usize, count: i32, k: i32, experts: usize, weights: usize): void {
  choose(logits, count, k, experts, weights);
  softmax(weights, k);
}

/** Places and values of the k largest, in falling order. */
function choose(logits: usize, count: i32, k: i32, places: usize, values: usize): void {
  let found = 0;
  for (let i = 0; i < count; i++) {
    const value = load<f32>(logits + ((<usize>i) << 2));
    let place = found;
    // `!(≤)` and not `>`: NaN takes a place too, so that every place is filled by an expert.
    while (place > 0 && !(value <= load<f32>(values + ((<usize>(place - 1)) << 2)))) place--;
    if (place >= k) continue;
    if (found < k) found++;
    for (let j = found - 1; j > place; j--) {
      const to = (<usize>j) << 2;
      store<f32>(values + to, load<f32>(values + to - 4));
      store<i32>(places + to, load<i32>(places + to - 4));
    }
    store<f32>(values + ((<usize>place) << 2), value);
    store<i32>(places + ((<usize>place) << 2), i);
  }
}

/** Softmax of numbers in falling order, in place. */
function softmax(values: usize, count: i32): void {
  const most = load<f32>(values);
  let sum: f32 = 0;
  for (let i = 0; i < count; i++) {
    const at = (<usize>i) << 2;
    const shifted = f32x4.splat(load<f32>(values + at) - most);
    const power = f32x4.extract_lane(exponential(shifted), 0);
    store<f32>(values + at, power);
    sum += power;
  }
  for (let i = 0; i < count; i++) {
    const at = (<usize>i) << 2;
    store<f32>(values + at, load<f32>(values + at) / sum);
  }
}

@unmanaged
class RouteTopExpertsGradient {
  rows: i32;
  count: i32;
  k: i32;
  upstream: usize;
  experts: usize;
  weights: usize;
  gradient: usize;
}

export function routeTopExpertsGradient(args: usize, thread: i32, threads: i32): void {
  const job = changetype<RouteTopExpertsGradient>(args);
  const last = shareStart(job.rows, thread + 1, threads);
  for (let row = shareStart(job.rows, thread, threads); row < last; row++) {
    const at = (<usize>(row * job.k)) << 2;
    const upstream = job.upstream + at;
    const weights = job.weights + at;
    const gradient = job.gradient + ((<usize>(row * job.count)) << 2);
    memory.fill(gradient, 0, (<usize>job.count) << 2);
    let sum: f32 = 0;
    for (let i = 0; i < job.k; i++) {
      const place = (<usize>i) << 2;
      sum += load<f32>(upstream + place) * load<f32>(weights + place);
    }
    for (let i = 0; i < job.k; i++) {
      const place = (<usize>i) << 2;
      const expert = <usize>load<i32>(job.experts + at + place);
      const slope = load<f32>(weights + place) * (load<f32>(upstream + place) - sum);
      store<f32>(gradient + (expert << 2), slope);
    }
  }
}
