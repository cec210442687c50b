// eˣ of four floats: x = n · ln 2 + r with |r| ≤ ln 2 / 2, then eˣ = 2ⁿ · eʳ with a polynomial for eʳ
// (Cephes expf by S. Moshier). Mathf.exp would need a table, and this module must have no data.

import { multiplyAdd } from "./gemm";

/** Adding it leaves a float no bits behind the point, and n + 127 in its lowest ones: the exponent of 2ⁿ. */
const ROUNDING: f32 = 12582912 + 127;

/** e^x within 1e-7 relative, 0 below −87.3 (−∞ too), NaN for NaN; x above 88 counts as 88. */
// @ts-ignore: decorator
@inline
export function exponential(x: v128): v128 {
  // These two keep NaN as their first operand does, and take one instruction where min and max take six.
  const bounded = f32x4.pmax(f32x4.pmin(x, f32x4.splat(88)), f32x4.splat(-87.33654));
  const rounded = multiplyAdd(bounded, f32x4.splat(1.44269504), f32x4.splat(ROUNDING));
  const n = f32x4.sub(rounded, f32x4.splat(ROUNDING));
  // ln 2 in two parts, the first exact in few bits, so that r keeps its last digits.
  const r = multiplyAdd(
    n,
    f32x4.splat(2.12194440e-4),
    multiplyAdd(n, f32x4.splat(-0.693359375), bounded),
  );
  let p = multiplyAdd(r, f32x4.splat(1.9875691500e-4), f32x4.splat(1.3981999507e-3));
  p = multiplyAdd(p, r, f32x4.splat(8.3334519073e-3));
  p = multiplyAdd(p, r, f32x4.splat(4.1665795894e-2));
  p = multiplyAdd(p, r, f32x4.splat(1.6666665459e-1));
  p = multiplyAdd(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.add(multiplyAdd(p, f32x4.mul(r, r), r), f32x4.splat(1));
  const power = i32x4.shl(rounded, 23);
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, f32x4.splat(-87.33654)));
}
