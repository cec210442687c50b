// What both blocks of a decoder layer do around their branch when one token is decoded (SPEC section 5):
//   x = norm(h);  h' = α · r + β · branch(x),  r = x with post-norm, else h

import { normaliseRow } from "./rms-norm";

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

/** h' of one row, elements first..last−1, from its branch; `scratch` has room for a row. */
export function addResidual(
  job: Residual,
  row: i32,
  branch: usize,
  scratch: usize,
  first: i32,
  last: i32,
): void {
  let skip = job.inputRow(row);
  if (job.postnorm) {
    normaliseRow(skip, job.norm, job.hidden, job.epsilon, scratch);
    skip = scratch;
  }
  const output = job.output + ((<usize>(row * job.hidden)) << 2);
  for (let i = first; i < last; i++) {
    const at = (<usize>i) << 2;
    store<f32>(output + at, job.alpha * load<f32>(skip + at) + job.beta * load<f32>(branch + at));
  }
}
