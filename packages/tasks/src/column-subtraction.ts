import { lastDigit, withoutLastDigit } from "./column-addition.ts";

/**
 * Subtracts column by column, from the right; needs `left` ≥ `right` ≥ 0.
 * Each line shows what is left of both numbers, the column's difference, the borrow and the result
 * so far, which may begin with zeros:
 *
 *     132-85: 2-5-0=-3 borrow 1: 7
 *     13-8: 3-8-1=-6 borrow 1: 47
 *     1-0: 1-0-1=0 borrow 0: 047
 *     132-85=47
 */
export function subtractInColumns(
  left: number,
  right: number,
): { lines: string[]; result: string } {
  if (left < right) throw new RangeError(`expected left ≥ right, found ${left} < ${right}`);
  const lines: string[] = [];
  let [restLeft, restRight] = [String(left), String(right)];
  let borrow = 0;
  let written = "";
  do {
    const [digitLeft, digitRight] = [lastDigit(restLeft), lastDigit(restRight)];
    const difference = digitLeft - digitRight - borrow;
    const column = `${digitLeft}-${digitRight}-${borrow}=${difference}`;
    borrow = difference < 0 ? 1 : 0;
    written = `${difference + 10 * borrow}${written}`;
    lines.push(`${restLeft}-${restRight}: ${column} borrow ${borrow}: ${written}`);
    restLeft = withoutLastDigit(restLeft);
    restRight = withoutLastDigit(restRight);
  } while (restLeft !== "0");
  const result = written.replace(/^0+(?=\d)/, "");
  lines.push(`${left}-${right}=${result}`);
  return { lines, result };
}
