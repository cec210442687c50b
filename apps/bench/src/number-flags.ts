import { InvalidArgumentError } from "commander";

/** Reads a number from 0 on; commander shows the error with the flag's name. */
export function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0)) {
    throw new InvalidArgumentError(`expected a number from 0 on, found "${text}"`);
  }
  return value;
}

/** The same, parted by commas. */
export function toNumbers(text: string): number[] {
  return text.split(",").map(toNumber);
}
