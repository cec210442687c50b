// The queries that one piece of softmax attention works on: some tokens, each with all query heads
// that share a key-value head. Such rows stand token by token, so that positions never fall.

/**
 * Lists byte offsets of rows in a tensor [heads of the group, length, headDim], and the position of
 * each row; the last four are filled up with the last position.
 *
 * @returns how many rows there are
 */
export function listQueries(
  group: i32,
  length: i32,
  first: i32,
  last: i32,
  firstPosition: i32,
  rowBytes: usize,
  offsets: usize,
  positions: usize,
): i32 {
  let rows = 0;
  for (let token = first; token < last; token++) {
    for (let head = 0; head < group; head++) {
      const at = (<usize>rows) << 2;
      store<i32>(offsets + at, <i32>(<usize>(head * length + token) * rowBytes));
      store<i32>(positions + at, firstPosition + token);
      rows++;
    }
  }
  for (let row = rows; row & 3; row++) {
    store<i32>(positions + ((<usize>row) << 2), firstPosition + last - 1);
  }
  return rows;
}

/** Score of a hidden key. That of no key is half of it, so that exp(hidden − none) is 0, not 1. */
export const HIDDEN: f32 = -2e30;
export const NO_KEY: f32 = -1e30;

/** Hides keys `first` .. `last − 1` from those of four rows that stand before them; scores are a left panel. */
export function hideLater(
  scores: usize,
  first: i32,
  last: i32,
  keyPositions: usize,
  rowPositions: usize,
): void {
  const rows = v128.load(rowPositions);
  const hidden = f32x4.splat(HIDDEN);
  for (let key = first; key < last; key++) {
    const later = i32x4.gt_s(v128.load_splat<i32>(keyPositions + ((<usize>key) << 2)), rows);
    const at = scores + ((<usize>key) << 4);
    v128.store(at, v128.bitselect(hidden, v128.load(at), later));
  }
}
