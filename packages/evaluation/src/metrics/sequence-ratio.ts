/**
 * Likeness of two texts from 0 to 1, number for number what Python's
 * `difflib.SequenceMatcher(None, first, second).ratio()` gives: twice the characters of matching blocks by
 * the characters of both. The longest block counts first, then what matches before and behind it
 * (Ratcliff and Metzener 1988). In a second text of 200 characters or more those that make up over a
 * hundredth of it begin no block, as Python's `autojunk` has it.
 */
export function sequenceRatio(first: string, second: string): number {
  // Python counts code points.
  const [a, b] = [Array.from(first), Array.from(second)];
  const total = a.length + b.length;
  return total === 0 ? 1 : (2 * matchingCount(a, b)) / total;
}

interface Range {
  aLow: number;
  aHigh: number;
  bLow: number;
  bHigh: number;
}

function matchingCount(a: readonly string[], b: readonly string[]): number {
  const places = placesOf(b);
  const left: Range[] = [{ aLow: 0, aHigh: a.length, bLow: 0, bHigh: b.length }];
  let count = 0;
  for (let range = left.pop(); range; range = left.pop()) {
    const { aStart, bStart, size } = longestBlock(a, b, places, range);
    if (size === 0) continue;
    count += size;
    left.push({ ...range, aHigh: aStart, bHigh: bStart });
    left.push({ ...range, aLow: aStart + size, bLow: bStart + size });
  }
  return count;
}

/** Where each character of the second text stands, in order, without those that are too common. */
function placesOf(b: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [i, character] of b.entries()) {
    const found = places.get(character);
    if (found) found.push(i);
    else places.set(character, [i]);
  }
  if (b.length < 200) return places;
  const most = Math.floor(b.length / 100) + 1;
  return new Map([...places].filter(([, found]) => found.length <= most));
}

/** The longest block that both have within a range; of equal ones the first in `a`, then in `b`. */
function longestBlock(
  a: readonly string[],
  b: readonly string[],
  places: ReadonlyMap<string, readonly number[]>,
  { aLow, aHigh, bLow, bHigh }: Range,
): { aStart: number; bStart: number; size: number } {
  let [aStart, bStart, size] = [aLow, bLow, 0];
  // Length of the block that ends at each place of b and at the character of a before.
  let endingBefore = new Map<number, number>();
  for (let i = aLow; i < aHigh; i++) {
    const ending = new Map<number, number>();
    for (const j of places.get(a[i]!) ?? []) {
      if (j < bLow) continue;
      if (j >= bHigh) break;
      const length = (endingBefore.get(j - 1) ?? 0) + 1;
      ending.set(j, length);
      if (length > size) [aStart, bStart, size] = [i - length + 1, j - length + 1, length];
    }
    endingBefore = ending;
  }
  // Characters that are too common to begin a block may lengthen one.
  while (aStart > aLow && bStart > bLow && a[aStart - 1] === b[bStart - 1]) {
    [aStart, bStart, size] = [aStart - 1, bStart - 1, size + 1];
  }
  while (aStart + size < aHigh && bStart + size < bHigh && a[aStart + size] === b[bStart + size]) {
    size += 1;
  }
  return { aStart, bStart, size };
}
