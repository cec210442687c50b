/** Where an answer becomes too long; lengths in tokens. */
export interface LengthPenalty {
  /** Longest answer that costs nothing. */
  free: number;
  /** Length from which on it costs the whole of 1. */
  most: number;
}

/**
 * What is taken from the reward of an answer for its length: 0 up to `free`, rising evenly to 1 at
 * `most` (the soft overlong punishment of DAPO, arXiv 2503.14476, equation 13; paper section 3.1).
 */
export function lengthPenalty(length: number, { free, most }: LengthPenalty): number {
  return Math.min(1, Math.max(0, (length - free) / (most - free)));
}
