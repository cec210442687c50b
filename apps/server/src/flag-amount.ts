import { FlagError } from "./flag-error.ts";

/**
 * The value of a flag that takes an amount.
 * @throws FlagError naming the flag when it is no whole number above 0
 */
export function flagAmount(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new FlagError(`--${flag}: expected a whole number above 0, found "${text}"`);
}

/**
 * The value of a flag that takes a number of units.
 * @throws FlagError naming the flag when it is no number from 0 on
 */
export function flagNumber(
  flag: string,
  text: string | undefined,
  unit: number,
): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}(\.\d+)?$/.test(text)) return Math.round(Number(text) * unit);
  throw new FlagError(`--${flag}: expected a number from 0 on, found "${text}"`);
}

/** Amounts without what is left to its default. */
export function given<Amounts extends Record<string, number | undefined>>(
  amounts: Amounts,
): { [Name in keyof Amounts]?: number } {
  const entries = Object.entries(amounts).filter(([, amount]) => amount !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Amounts]?: number };
}
