import type { CodePoints } from "./expression.ts";

/** The bytes that may stand at each place of a sequence. */
export type ByteRanges = readonly (readonly [low: number, high: number])[];

/** The last code points that have one, two, three and four bytes. */
const lastOfLength = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/**
 * UTF-8 of a range of code points: sequences of byte ranges that together match these and nothing
 * else. After Russ Cox, "Regular Expression Matching in the Wild" (2010).
 */
export function utf8Ranges([first, last]: CodePoints): ByteRanges[] {
  if (first > last) return [];
  const border = lastOfLength.find((end) => first <= end && end < last);
  if (border !== undefined) {
    return [...utf8Ranges([first, border]), ...utf8Ranges([border + 1, last])];
  }
  // Within one length, ranges must not begin or end in the middle of a block of trailing bytes.
  const trailing = last <= 0x7f ? [] : [6, 12, 18];
  for (const bits of trailing) {
    const within = 2 ** bits - 1;
    if (Math.trunc(first / 2 ** bits) === Math.trunc(last / 2 ** bits)) break;
    if ((first & within) !== 0) {
      const middle = first | within;
      return [...utf8Ranges([first, middle]), ...utf8Ranges([middle + 1, last])];
    }
    if ((last & within) !== within) {
      const middle = last & ~within;
      return [...utf8Ranges([first, middle - 1]), ...utf8Ranges([middle, last])];
    }
  }
  const [lows, highs] = [utf8(first), utf8(last)];
  return [lows.map((low, i) => [low, highs[i]!] as const)];
}

function utf8(point: number): number[] {
  if (point <= 0x7f) return [point];
  const length = lastOfLength.findIndex((end) => point <= end) + 1;
  const lead = [0, 0, 0xc0, 0xe0, 0xf0][length]!;
  return Array.from({ length }, (_, i) => {
    const bits = point >> (6 * (length - 1 - i));
    return i === 0 ? lead | bits : 0x80 | (bits & 0x3f);
  });
}
