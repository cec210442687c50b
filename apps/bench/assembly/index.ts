// What the machine gives a WASM thread at most: bytes read from memory, and multiply-adds of 128 bits.

/** Reads `bytes` (a multiple of 256) from an address on; the result keeps the reads alive. */
export function read(address: usize, bytes: usize): i32 {
  let a = i32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  const end = address + bytes;
  for (; address < end; address += 256) {
    a = v128.xor(a, four(address));
    b = v128.xor(b, four(address + 64));
    c = v128.xor(c, four(address + 128));
    d = v128.xor(d, four(address + 192));
  }
  const all = v128.xor(v128.xor(a, b), v128.xor(c, d));
  return i32x4.extract_lane(all, 0) ^ i32x4.extract_lane(all, 1) ^ i32x4.extract_lane(all, 2) ^ i32x4.extract_lane(all, 3);
}

// @ts-ignore: decorator
@inline
function four(address: usize): v128 {
  return v128.xor(v128.xor(v128.load(address), v128.load(address, 16)), v128.xor(v128.load(address, 32), v128.load(address, 48)));
}

/** FLOPs of one round of `multiplyAdd`: twelve sums of four floats, each multiplied and added. */
export const FLOPS_PER_ROUND: i32 = 12 * 4 * 2;

/** Twelve sums hide the latency of two units that start one multiply-add each in a cycle, four cycles long. */
export function multiplyAdd(rounds: i32, x: f32, y: f32): f32 {
  // Not constants: V8 would build those anew in every round.
  const factor = f32x4.splat(x);
  const term = f32x4.splat(y);
  let a = term, b = term, c = term, d = term, e = term, f = term;
  let g = term, h = term, i = term, j = term, k = term, l = term;
  for (let round = 0; round < rounds; round++) {
    a = madd(factor, term, a); b = madd(factor, term, b); c = madd(factor, term, c);
    d = madd(factor, term, d); e = madd(factor, term, e); f = madd(factor, term, f);
    g = madd(factor, term, g); h = madd(factor, term, h); i = madd(factor, term, i);
    j = madd(factor, term, j); k = madd(factor, term, k); l = madd(factor, term, l);
  }
  const all = f32x4.add(
    f32x4.add(f32x4.add(a, b), f32x4.add(c, d)),
    f32x4.add(f32x4.add(f32x4.add(e, f), f32x4.add(g, h)), f32x4.add(f32x4.add(i, j), f32x4.add(k, l))),
  );
  return f32x4.extract_lane(all, 0);
}

// @ts-ignore: decorator
@inline
function madd(x: v128, y: v128, sum: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(x, y, sum) : f32x4.add(f32x4.mul(x, y), sum);
}
