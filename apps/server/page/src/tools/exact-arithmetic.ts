import { Fraction } from "fraction.js";

/** Characters of an expression; also bounds how deep brackets can nest. */
const longestExpression = 1000;
/** Decimal places shown of a fraction whose decimal does not end. */
const shownPlaces = 12;
/** Binary digits of a power; larger ones would take long to write. */
const longestPower = 20_000;

/**
 * The value of an expression in exact fractions: `+ - * / ^` with brackets and decimals, where `^`
 * binds before a sign and to the right, as in mathematics.
 *
 * @returns a decimal where it ends, else a fraction with its first digits
 * @throws Error telling what was expected where
 */
export function evaluate(expression: string): string {
  if (expression.length > longestExpression) {
    throw new Error(`expected at most ${longestExpression} characters, found ${expression.length}`);
  }
  return written(new Parser(expression).parse());
}

function written(value: Fraction): string {
  return decimal(value) ?? `${value.toFraction()} ≈ ${decimal(value.round(shownPlaces))}`;
}

/** All digits of a fraction whose decimal ends; undefined for others. */
function decimal({ s: sign, n: numerator, d: denominator }: Fraction): string | undefined {
  const [twos, fives] = [timesDividedBy(denominator, 2n), timesDividedBy(denominator, 5n)];
  if (2n ** twos * 5n ** fives !== denominator) return undefined;
  const places = Number(twos > fives ? twos : fives);
  const digits = ((numerator * 10n ** BigInt(places)) / denominator).toString();
  const padded = digits.padStart(places + 1, "0");
  const [whole, part] = [
    padded.slice(0, padded.length - places),
    padded.slice(padded.length - places),
  ];
  return `${sign < 0n ? "-" : ""}${whole}${part === "" ? "" : `.${part}`}`;
}

function timesDividedBy(value: bigint, divisor: bigint): bigint {
  let times = 0n;
  for (let rest = value; rest % divisor === 0n; rest /= divisor) times += 1n;
  return times;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.replaceAll(/[×·]/g, "*").replaceAll("÷", "/").replaceAll(/[−–]/g, "-");
  }

  parse(): Fraction {
    const value = this.#sum();
    if (this.#at < this.#text.length) throw this.#expected("an operator");
    return value;
  }

  #sum(): Fraction {
    let value = this.#product();
    for (;;) {
      if (this.#take("+")) value = value.add(this.#product());
      else if (this.#take("-")) value = value.sub(this.#product());
      else return value;
    }
  }

  #product(): Fraction {
    let value = this.#signed();
    for (;;) {
      if (this.#take("*")) value = value.mul(this.#signed());
      else if (this.#take("/")) value = quotient(value, this.#signed());
      else return value;
    }
  }

  #signed(): Fraction {
    if (this.#take("-")) return this.#signed().neg();
    if (this.#take("+")) return this.#signed();
    const base = this.#operand();
    return this.#take("**", "^") ? power(base, this.#signed()) : base;
  }

  #operand(): Fraction {
    if (this.#take("(")) {
      const value = this.#sum();
      if (!this.#take(")")) throw this.#expected('")"');
      return value;
    }
    const [number] = /^(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)/.exec(this.#text.slice(this.#at)) ?? [];
    if (number === undefined) throw this.#expected("a number");
    this.#at += number.length;
    this.#skipSpace();
    return new Fraction(number.replaceAll(",", ""));
  }

  /** Goes past one of these marks; `*` is not the first half of `**`. */
  #take(...marks: string[]): boolean {
    this.#skipSpace();
    const rest = this.#text.slice(this.#at);
    const mark = marks.find((one) => rest.startsWith(one) && !(one === "*" && rest[1] === "*"));
    this.#at += mark?.length ?? 0;
    if (mark !== undefined) this.#skipSpace();
    return mark !== undefined;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  #expected(what: string): Error {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    return new Error(`expected ${what}, found ${rest === "" ? "the end" : `"${rest}"`}`);
  }
}

function quotient(dividend: Fraction, divisor: Fraction): Fraction {
  if (divisor.n === 0n) throw new Error("cannot divide by zero");
  return dividend.div(divisor);
}

function power(base: Fraction, exponent: Fraction): Fraction {
  if (exponent.d !== 1n) throw new Error("expected a whole exponent: roots are not exact");
  if (base.n === 0n && exponent.s < 0n) throw new Error("cannot divide by zero");
  const digits = (base.n > base.d ? base.n : base.d).toString(2).length;
  if (exponent.n * BigInt(digits) > longestPower) throw new Error("the power is too large");
  return base.pow(exponent)!;
}
