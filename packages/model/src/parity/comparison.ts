/** How far one quantity is from its golden value. */
export interface Comparison {
  /** Such as `hidden.layer.3`. */
  quantity: string;
  /** Largest difference, in units of `limit`'s scale; for integers the number of mismatches. */
  error: number;
  /** Largest permitted `error`. */
  limit: number;
}

/** Numbers of a tensor, in row-major order. */
export type Values = Float32Array | Int32Array | Uint8Array;

/** True where an element counts; pads do not. */
export type Counts = (index: number) => boolean;

const everywhere: Counts = () => true;

/** |a − b| ≤ relative · max(1, max |golden|) (SPEC section 12). */
export function compareScaled(
  quantity: string,
  found: Values,
  golden: Values,
  { limit = 1e-4, counts = everywhere }: { limit?: number; counts?: Counts } = {},
): Comparison {
  const { difference, scale } = differences(quantity, found, golden, counts);
  return { quantity, error: difference / Math.max(1, scale), limit };
}

/** |a − b| ≤ 1e-6 + 5e-4 · max |golden|, reported relative to that bound. */
export function compareGradient(quantity: string, found: Values, golden: Values): Comparison {
  const { difference, scale } = differences(quantity, found, golden, everywhere);
  return { quantity, error: difference / (1e-6 + 5e-4 * scale), limit: 1 };
}

/** Equal integers everywhere. */
export function compareExact(
  quantity: string,
  found: Values,
  golden: Values,
  counts: Counts = everywhere,
): Comparison {
  checkLength(quantity, found, golden);
  let mismatches = 0;
  golden.forEach((value, i) => {
    if (counts(i) && value !== found[i]) mismatches++;
  });
  return { quantity, error: mismatches, limit: 0 };
}

/** True when the comparison is within its limit; NaN never is. */
export function passes({ error, limit }: Comparison): boolean {
  return error <= limit;
}

function differences(
  quantity: string,
  found: Values,
  golden: Values,
  counts: Counts,
): { difference: number; scale: number } {
  checkLength(quantity, found, golden);
  let difference = 0;
  let scale = 0;
  golden.forEach((value, i) => {
    if (!counts(i)) return;
    // Math.max keeps a NaN, so a NaN never passes.
    difference = Math.max(difference, Math.abs(value - found[i]!));
    scale = Math.max(scale, Math.abs(value));
  });
  return { difference, scale };
}

function checkLength(quantity: string, found: Values, golden: Values): void {
  if (found.length !== golden.length) {
    throw new RangeError(
      `${quantity}: expected ${golden.length} numbers as in the golden file, found ${found.length}`,
    );
  }
}
