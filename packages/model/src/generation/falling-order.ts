/** Logits this far apart are told apart before any is sorted. */
const width = 1 / 64;
/** Further than this many widths below the highest, logits share one bucket. */
const buckets = 2048;

/**
 * Visits ids from the likeliest down, lower ones first among equals, until `visit` returns true. Only
 * what is visited is sorted: filters keep few of many tokens.
 */
export function visitFalling(logits: Float32Array, visit: (id: number) => boolean): void {
  const highest = max(logits);
  const bucketOf = (logit: number): number => {
    const bucket = (highest - logit) / width;
    return bucket < buckets - 1 ? Math.trunc(bucket) : buckets - 1;
  };
  const ends = new Int32Array(buckets);
  for (let i = 0; i < logits.length; i++) ends[bucketOf(logits[i]!)]!++;
  for (let bucket = 1; bucket < buckets; bucket++) ends[bucket]! += ends[bucket - 1]!;
  const ids = new Int32Array(logits.length);
  const starts = ends.slice();
  for (let i = logits.length - 1; i >= 0; i--) ids[--starts[bucketOf(logits[i]!)]!] = i;
  for (let bucket = 0; bucket < buckets; bucket++) {
    const together = ids.subarray(starts[bucket], ends[bucket]);
    if (together.length > 1) together.sort((a, b) => logits[b]! - logits[a]! || a - b);
    for (let i = 0; i < together.length; i++) if (visit(together[i]!)) return;
  }
}

/** The highest of them, −∞ of none. */
export function max(values: Float32Array): number {
  let highest = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i]! > highest) highest = values[i]!;
  return highest;
}
