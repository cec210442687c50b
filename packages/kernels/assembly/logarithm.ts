// ln x = e · ln 2 + 2 artanh s with x = 2ᵉ · m, √½ ≤ m < √2 and s = (m − 1) / (m + 1). Math.log would
// need a table, and this module must have no data.

/** ln x within 1e-13 for normal x > 0; NaN for NaN. */
export function logarithm(x: f64): f64 {
  if (!(x > 0) || x == Infinity) return x * NaN;
  const bits = reinterpret<u64>(x);
  let exponent = <i32>(bits >> 52) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent++;
  }
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let series: f64 = 0;
  for (let n = 15; n >= 1; n -= 2) series = series * square + 1 / <f64>n;
  return <f64>exponent * 0.6931471805599453 + 2 * s * series;
}
