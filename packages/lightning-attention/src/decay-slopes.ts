/** Which published implementation's conventions to follow (SPEC section 13.2). */
export type Dialect = "hf" | "m1";

/**
 * Decay rate s of each head in one layer (SPEC 6.1; paper section 2, after ALiBi); the per-token
 * decay is λ = exp(−s). Early layers forget fast, late layers hardly at all.
 */
export function decaySlopes(options: {
  numHeads: number;
  /** Counts all layers from 0, softmax layers too. */
  layerIndex: number;
  numLayers: number;
  dialect: Dialect;
}): number[] {
  const { numHeads, layerIndex, numLayers, dialect } = options;
  const slopes = dialect === "hf" ? geometric(numHeads) : interpolated(numHeads);
  const factor =
    dialect === "hf"
      ? 1 - layerIndex / (numLayers - 1 + 1e-5) + 1e-5
      : 1 - (numLayers === 1 ? 0 : layerIndex / (numLayers - 1)) + 1e-5;
  return slopes.map((slope) => slope * factor);
}

/** 2^(−8(j+1)/n) for head j of n. */
function geometric(numHeads: number): number[] {
  return Array.from({ length: numHeads }, (_, head) => 2 ** ((-8 * (head + 1)) / numHeads));
}

/** For head counts that are no power of two: the series of the next lower power, then fill-ins. */
function interpolated(numHeads: number): number[] {
  const power = 2 ** Math.floor(Math.log2(numHeads));
  if (power === numHeads) return geometric(numHeads);
  const between = geometric(2 * power).filter((_, index) => index % 2 === 0);
  return [...geometric(power), ...between.slice(0, numHeads - power)];
}
