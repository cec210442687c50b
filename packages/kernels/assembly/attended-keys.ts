// The keys that softmax attention reads: those that are no padding, out of several tensors
// (segments) [batch, kvHeads, length, headDim] that stand for one after another.

/** Position of no key, later than every query. */
export const NEVER: i32 = i32.MAX_VALUE;

/** Segments as laid out by the host: `width` numbers each, length and addresses of its tensors. */
@unmanaged
export class Segments {
  count: i32;
  width: i32;
  table: usize;
}

/**
 * Lists the addresses of the real rows among the first `limit` of one pair of batch and head.
 *
 * @param field which number of a segment is the address of the tensor
 * @param mask 1 or 0 per key of this batch, or 0: all are real
 * @returns how many they are
 */
export function listRows(
  segments: Segments,
  field: i32,
  pair: i32,
  rowBytes: usize,
  mask: usize,
  limit: i32,
  to: usize,
): i32 {
  let position = 0;
  let found = 0;
  let segment = segments.table;
  for (let s = 0; s < segments.count; s++) {
    const length = load<i32>(segment);
    let row = load<usize>(segment + ((<usize>field) << 2)) + <usize>(pair * length) * rowBytes;
    const end = min(limit, position + length);
    for (; position < end; position++) {
      if (!mask || load<f32>(mask + ((<usize>position) << 2)) != 0) {
        store<usize>(to + ((<usize>found) << 2), row);
        found++;
      }
      row += rowBytes;
    }
    segment += (<usize>segments.width) << 2;
  }
  return found;
}

/** Lists the positions of the same keys, and {@link NEVER} for eight more. */
export function listPositions(mask: usize, limit: i32, to: usize): void {
  for (let position = 0; position < limit; position++) {
    if (mask && load<f32>(mask + ((<usize>position) << 2)) == 0) continue;
    store<i32>(to, position);
    to += 4;
  }
  for (let i: usize = 0; i < 8; i++) store<i32>(to + (i << 2), NEVER);
}

/** How many of `positions` are at most `position`, when the first `known` are. */
export function countUntil(positions: usize, count: i32, known: i32, position: i32): i32 {
  while (known < count && load<i32>(positions + ((<usize>known) << 2)) <= position) known++;
  return known;
}
