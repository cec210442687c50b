// The end of an attention block for one token (SPEC 5): h' = α · r + β · Wo z for each row of a batch, with
// the heads' outputs z and r = norm(h) with post-norm, else h.

import { addResidual, Residual } from "./block-step";
import { shareStart } from "./threads";
import { addressIn, readyRow, readyRowBytes, setAddress, weightProducts } from "./weight-products";

@unmanaged
class OutputProjectionStep extends Residual {
  width: i32;
  /** z, [batch, width]. */
  attended: usize;
  projection: usize;
  kind: i32;
  /** Memory of each thread. */
  work: usize;
}

export function outputProjectionStepBytes(batch: i32, hidden: i32, width: i32, threads: i32): usize {
  return <usize>threads * ownBytes(batch, hidden, width);
}

/** A row; then per row y, a ready row and two addresses. */
function ownBytes(batch: i32, hidden: i32, width: i32): usize {
  return ((<usize>hidden) << 2) + <usize>batch * (((<usize>(hidden + 2)) << 2) + readyRowBytes(width));
}

export function outputProjectionStep(args: usize, thread: i32, threads: i32): void {
  const job = changetype<OutputProjectionStep>(args);
  const batch = job.batch;
  const hidden = job.hidden;
  const width = job.width;
  const zs = job.work + <usize>thread * ownBytes(batch, hidden, width);
  const ys = zs + ((<usize>batch) << 2);
  const x = ys + ((<usize>batch) << 2);
  const y = x + ((<usize>hidden) << 2);
  const ready = y + ((<usize>(batch * hidden)) << 2);
  for (let row = 0; row < batch; row++) {
    const z = job.attended + ((<usize>(row * width)) << 2);
    setAddress(zs, row, readyRow(z, width, job.kind, ready + <usize>row * readyRowBytes(width)));
    setAddress(ys, row, y + ((<usize>(row * hidden)) << 2));
  }
  const first = shareStart(hidden, thread, threads);
  const last = shareStart(hidden, thread + 1, threads);
  weightProducts(batch, first, last, width, zs, job.projection, job.kind, ys);
  for (let row = 0; row < batch; row++) addResidual(job, row, addressIn(ys, row), x, first, last);
}
