/** σ(x) without an exponential that overflows. */
export const sigmoid = `
fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}`;

/** Sums over all threads of a workgroup or over each `lanes` neighbours; all of these get the sum. */
export function sumOver(threads: number, lanes: number = threads): string {
  return `
var<workgroup> partialSums: array<f32, ${threads}>;
fn sumOverLanes(value: f32) -> f32 {
  let lane = i32(localIndex) % ${lanes};
  partialSums[localIndex] = value;
  workgroupBarrier();
  for (var half = ${lanes / 2}; half > 0; half >>= 1u) {
    if (lane < half) {
      partialSums[localIndex] += partialSums[i32(localIndex) + half];
    }
    workgroupBarrier();
  }
  let total = partialSums[i32(localIndex) - lane];
  workgroupBarrier();
  return total;
}`;
}
