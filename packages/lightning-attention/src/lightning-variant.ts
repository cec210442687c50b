/** What families of models do each in their own way in a lightning layer. */
export interface LightningVariant {
  /** Rows of the projection: queries, keys and values of one head after another, or of all heads each. */
  rows: "by-head" | "by-kind";
  /** What passes through SiLU. */
  silu: "all" | "queries-and-keys" | "none";
  /** Whether queries and keys are turned by their positions. */
  rotary: boolean;
  /** Factor of the queries. */
  queryScale: number;
  /** Equal parts of all heads' output that are normalised each for itself, before the gate. */
  normGroups: number;
  /** Epsilon of that norm and of those of queries and keys. */
  normEpsilon: number;
  /** How the gate lets numbers through: by its sigmoid, or as a factor. */
  gate: "sigmoid" | "factor";
}

/** MiniMax-M1 and Text-01; the norm ignores `rms_norm_eps` (SPEC section 4). */
export const minimaxVariant: LightningVariant = {
  rows: "by-head",
  silu: "all",
  rotary: false,
  queryScale: 1,
  normGroups: 1,
  normEpsilon: 1e-6,
  gate: "sigmoid",
};
