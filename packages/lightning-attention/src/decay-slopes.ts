/**
 * Which published implementation's conventions to follow: `hf` = transformers' `minimax`, `m1` =
 * MiniMax-AI's code (SPEC section 13.2), `ring` = that of Ring- and Ling-linear, `transnormer` = that of TransNormerLLM.
 */
export type Dialect = "hf" | "m1" | "ring" | "transnormer";

/** How a dialect spreads decay over the heads of a layer, and over layers `index` of `count`. */
interface Schedule {
  heads: (count: number) => number[];
  layer: (index: number, count: number) => number;
}

const original: Schedule = {
  heads: interpolated,
  layer: (index, count) => 1 - depth(index, count) + 1e-5,
};

const schedules: Record<Dialect, Schedule> = {
  hf: { heads: geometric, layer: (index, count) => 1 - index / (count - 1 + 1e-5) + 1e-5 },
  m1: original,
  transnormer: original,
  // Its code counts from −1: the first layer's factor is above 1.
  ring: { heads: interpolated, layer: (index, count) => 1 - depth(index - 1, count) + 1e-5 },
};

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
  const { heads, layer } = schedules[dialect];
  return heads(numHeads).map((slope) => slope * layer(layerIndex, numLayers));
}

/** 0 at the first layer, 1 at the last. */
function depth(index: number, count: number): number {
  return count === 1 ? 0 : index / (count - 1);
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
