/** An arithmetic expression that was read: its value and the numbers in it, in order. */
export interface ReadExpression {
  value: number;
  numbers: number[];
}

/** Longer texts are refused, so that brackets cannot nest deeper than the stack. */
const MOST_CHARACTERS = 200;

/**
 * Reads whole numbers ≥ 0 with + - * (also ×, ·, −) and brackets, by recursive descent:
 * sum = product (("+" | "-") product)*, product = factor ("*" factor)*, factor = number | "(" sum ")".
 * Gives undefined for anything else.
 */
export function readExpression(text: string): ReadExpression | undefined {
  if (text.length > MOST_CHARACTERS) return undefined;
  const tokens =
    text
      .replace(/[×·]/g, "*")
      .replaceAll("−", "-")
      .match(/\d+|\S/g) ?? [];
  const numbers: number[] = [];
  let at = 0;

  function sum(): number {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "-") {
      value += tokens[at++] === "+" ? product() : -product();
    }
    return value;
  }

  function product(): number {
    let value = factor();
    while (tokens[at] === "*") {
      at += 1;
      value *= factor();
    }
    return value;
  }

  /** NaN where no factor is found; it makes the whole value NaN. */
  function factor(): number {
    const token = tokens[at++] ?? "";
    if (token === "(") {
      const value = sum();
      return tokens[at++] === ")" ? value : Number.NaN;
    }
    if (!/^\d+$/.test(token)) return Number.NaN;
    numbers.push(Number(token));
    return Number(token);
  }

  const value = sum();
  return at === tokens.length && !Number.isNaN(value) ? { value, numbers } : undefined;
}
