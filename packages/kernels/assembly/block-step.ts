// What both blocks of a decoder layer do around their branch when one token is decoded (SPEC section 5):
//   x = norm(h);  h' = α · r + β · branch(x),  r = x with post-norm, else h

import { loadSome, storeSome, sumOfLanes } from "./elementwise";
import { multiplyAdd } from "./gemm";

/** First arguments of a block's step, 4 bytes each. */
@unmanaged
export class Residual {
  batch: i32;
  hidden: i32;
  /** h and h', [batch, hidden] each. */
  input: usize;
  output: usize;
  /** Weight of the norm, [hidden]. */
  norm: usize;
  epsilon: f32;
  alpha: f32;
  beta: f32;
  postnorm: i32;

  inputRow(row: i32): usize {
    return this.input + ((<usize>(row * this.hidden)) << 2);
  }
}

/** y = weight ⊙ x / √(mean(x²) + ε). */
export function normalise(x: usize, weight: usize, count: i32, epsilon: f32, y: usize): void {
  let squares = f32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    const value = loadSome(x + ((<usize>i) << 2), count - i);
    squares = multiplyAdd(value, value, squares);
  }
  const scale = f32x4.splat(1 / sqrt<f32>(sumOfLanes(squares) / <f32>count + epsilon));
  for (let i = 0; i < count; i += 4) {
    const at = (<usize>i) << 2;
    const scaled = f32x4.mul(loadSome(x + at, count - i), scale);
    storeSome(y + at, f32x4.mul(scaled, loadSome(weight + at, count - i)), count - i);
  }
}

/** h' of one row, elements first..last−1, from its normalised input and its branch. */
export function addResidual(
  job: Residual,
  row: i32,
  normalised: usize,
  branch: usize,
  first: i32,
  last: i32,
): void {
  const skip = job.postnorm ? normalised : job.inputRow(row);
  const output = job.output + ((<usize>(row * job.hidden)) << 2);
  for (let i = first; i < last; i++) {
    const at = (<usize>i) << 2;
    store<f32>(output + at, job.alpha * load<f32>(skip + at) + job.beta * load<f32>(branch + at));
  }
}
