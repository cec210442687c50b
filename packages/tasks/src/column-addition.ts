/**
 * Adds two whole numbers ≥ 0 column by column, from the right, on their written digits.
 * Each line shows what is left of both numbers, the column's sum, the carry and the result so far:
 *
 *     47+85: 7+5+0=12 carry 1: 2
 *     4+8: 4+8+1=13 carry 1: 32
 *     0+0: 0+0+1=1 carry 0: 132
 *     47+85=132
 */
export function addInColumns(left: number, right: number): { lines: string[]; result: string } {
  const lines: string[] = [];
  let [restLeft, restRight] = [String(left), String(right)];
  let carry = 0;
  let result = "";
  do {
    const [digitLeft, digitRight] = [lastDigit(restLeft), lastDigit(restRight)];
    const sum = digitLeft + digitRight + carry;
    const column = `${digitLeft}+${digitRight}+${carry}=${sum}`;
    carry = sum >= 10 ? 1 : 0;
    result = `${sum % 10}${result}`;
    lines.push(`${restLeft}+${restRight}: ${column} carry ${carry}: ${result}`);
    restLeft = withoutLastDigit(restLeft);
    restRight = withoutLastDigit(restRight);
  } while (restLeft !== "0" || restRight !== "0" || carry === 1);
  lines.push(`${left}+${right}=${result}`);
  return { lines, result };
}

/** The units digit of a written number. */
export function lastDigit(digits: string): number {
  return Number(digits.slice(-1));
}

/** What is left of a written number without its units digit: "0" when nothing is. */
export function withoutLastDigit(digits: string): string {
  return digits.slice(0, -1) || "0";
}
