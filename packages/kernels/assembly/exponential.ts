// eˣ of four floats: x = n · ln 2 + r with |r| ≤ ln 2 / 2, then eˣ = 2ⁿ · eʳ with a polynomial for eʳ
// (Cephes expf by S. Moshier). Mathf.exp would need a table, and this module must have no data.

import { multiplyAdd } from "./gemm";

/** Adding it leaves a float no bits behind the point, and n + 127 in its lowest ones: the exponent of 2ⁿ. */
const ROUNDING: f32 = 12582912 + 127;

let constants: usize = 0;

/**
 * Says where this thread finds the constants, and puts them there. Engines make a vector constant
 * anew, by several instructions, each time it is used: from memory, an exponential takes half as long.
 */
export function placeConstants(address: usize): void {
  constants = address;
  store<f32>(address, -87.33654);
  store<f32>(address, 88, 4);
  store<f32>(address, 1.44269504, 8);
  store<f32>(address, ROUNDING, 12);
  // ln 2 in two parts, the first exact in few bits, so that r keeps its last digits.
  store<f32>(address, -0.693359375, 16);
  store<f32>(address, 2.1219444e-4, 20);
  store<f32>(address, 1.9875691500e-4, 24);
  store<f32>(address, 1.3981999507e-3, 28);
  store<f32>(address, 8.3334519073e-3, 32);
  store<f32>(address, 4.1665795894e-2, 36);
  store<f32>(address, 1.6666665459e-1, 40);
  store<f32>(address, 5.0000001201e-1, 44);
}

/** e^x within 1e-7 relative, 0 below −87.3 (−∞ too), NaN for NaN; x above 88 counts as 88. */
// @ts-ignore: decorator
@inline
export function exponential(x: v128): v128 {
  const c = constants;
  // These two keep NaN as their first operand does, and take one instruction where min and max take six.
  const bounded = f32x4.pmax(
    f32x4.pmin(x, v128.load_splat<f32>(c, 4)),
    v128.load_splat<f32>(c),
  );
  const rounded = multiplyAdd(bounded, v128.load_splat<f32>(c, 8), v128.load_splat<f32>(c, 12));
  const n = f32x4.sub(rounded, v128.load_splat<f32>(c, 12));
  const r = multiplyAdd(
    n,
    v128.load_splat<f32>(c, 20),
    multiplyAdd(n, v128.load_splat<f32>(c, 16), bounded),
  );
  let p = multiplyAdd(r, v128.load_splat<f32>(c, 24), v128.load_splat<f32>(c, 28));
  p = multiplyAdd(p, r, v128.load_splat<f32>(c, 32));
  p = multiplyAdd(p, r, v128.load_splat<f32>(c, 36));
  p = multiplyAdd(p, r, v128.load_splat<f32>(c, 40));
  p = multiplyAdd(p, r, v128.load_splat<f32>(c, 44));
  p = f32x4.add(multiplyAdd(p, f32x4.mul(r, r), r), f32x4.splat(1));
  const power = i32x4.shl(rounded, 23);
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, v128.load_splat<f32>(c)));
}
