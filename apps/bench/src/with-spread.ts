/** The best of several rates. */
export function best(rates: readonly number[]): number {
  return Math.max(...rates);
}

/** The best rate in three significant digits, and how far the worst was from it. */
export function withSpread(rates: readonly number[]): string {
  const spread = (best(rates) - Math.min(...rates)) / best(rates);
  const figures = Number(best(rates).toPrecision(3)).toLocaleString("en");
  return `${figures} (−${(100 * spread).toFixed(0)} %)`;
}
