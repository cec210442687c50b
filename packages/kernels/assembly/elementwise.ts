// Shares of a list of numbers, and their last one to three, which fill no vector: memory behind a
// tensor belongs to someone else and is neither read nor written.

import { shareStart } from "./threads";

/** Where a thread's share of `count` numbers starts, a multiple of four but for the end of the list. */
// @ts-ignore: decorator
@inline
export function numberShare(count: i32, thread: i32, threads: i32): i32 {
  return min(count, shareStart((count + 3) >> 2, thread, threads) << 2);
}

/** The numbers at an address, `left` of them: four, or fewer with zeros behind. */
// @ts-ignore: decorator
@inline
export function loadSome(address: usize, left: i32): v128 {
  if (left >= 4) return v128.load(address);
  let numbers = v128.load32_zero(address);
  if (left > 1) numbers = f32x4.replace_lane(numbers, 1, load<f32>(address, 4));
  if (left > 2) numbers = f32x4.replace_lane(numbers, 2, load<f32>(address, 8));
  return numbers;
}

/** Writes what {@link loadSome} would read. */
// @ts-ignore: decorator
@inline
export function storeSome(address: usize, numbers: v128, left: i32): void {
  if (left >= 4) {
    v128.store(address, numbers);
    return;
  }
  store<f32>(address, f32x4.extract_lane(numbers, 0));
  if (left > 1) store<f32>(address, f32x4.extract_lane(numbers, 1), 4);
  if (left > 2) store<f32>(address, f32x4.extract_lane(numbers, 2), 8);
}

/** The sum of four numbers. */
// @ts-ignore: decorator
@inline
export function sumOfLanes(numbers: v128): f32 {
  return (
    f32x4.extract_lane(numbers, 0) +
    f32x4.extract_lane(numbers, 1) +
    (f32x4.extract_lane(numbers, 2) + f32x4.extract_lane(numbers, 3))
  );
}

/** The sums of four numbers each of a, b, c and d. */
// @ts-ignore: decorator
@inline
export function laneSums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 1, 4, 5), v128.shuffle<i32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 1, 4, 5), v128.shuffle<i32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<i32>(ab, cd, 0, 2, 4, 6), v128.shuffle<i32>(ab, cd, 1, 3, 5, 7));
}
