import {
  characters,
  choice,
  optional,
  repeat,
  sequence,
  text,
  type Expression,
} from "./expression.ts";

/** Limits of a number; undefined is none. */
export interface NumberLimits {
  minimum?: number | undefined;
  maximum?: number | undefined;
  exclusiveMinimum?: number | undefined;
  exclusiveMaximum?: number | undefined;
}

const largest = Number.MAX_SAFE_INTEGER;
const digits = (min: number, max: number): Expression => repeat(characters([0x30, 0x39]), min, max);
/** Digits after the point: any, or at least one that is not 0. */
const fraction = sequence(text("."), digits(1, 15));
const positiveFraction = sequence(text("."), digits(0, 14), characters([0x31, 0x39]));

/** Whole numbers within limits, and within those that a float64 tells apart. */
export function integersWithin(limits: NumberLimits): Expression {
  const { minimum = -largest, maximum = largest } = limits;
  const { exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = limits;
  const low = Math.max(Math.ceil(minimum), Math.floor(exclusiveMinimum) + 1, -largest);
  const high = Math.min(Math.floor(maximum), Math.ceil(exclusiveMaximum) - 1, largest);
  return choice(
    ...naturals(Math.max(low, 0), high),
    ...naturals(Math.max(-high, 1), -low).map((natural) => sequence(text("-"), natural)),
  );
}

/**
 * Decimal numbers within limits, which must be whole themselves; at most 15 digits after the point.
 */
export function decimalsWithin(limits: NumberLimits): Expression {
  const low = border(limits.minimum, limits.exclusiveMinimum, Math.max, -Infinity);
  const high = border(limits.maximum, limits.exclusiveMaximum, Math.min, Infinity);
  const flipped = { low: negated(high), high: negated(low) };
  return choice(
    ...magnitudes(low, high),
    ...magnitudes(flipped.low, flipped.high).map((magnitude) => sequence(text("-"), magnitude)),
  );
}

interface Border {
  value: number;
  open: boolean;
}

function border(
  closed: number | undefined,
  open: number | undefined,
  tighter: (a: number, b: number) => number,
  none: number,
): Border {
  const value = tighter(closed ?? none, open ?? none);
  return { value, open: open === value };
}

const negated = ({ value, open }: Border): Border => ({ value: -value, open });

/** Numbers from 0 on between two borders. */
function magnitudes(low: Border, high: Border): Expression[] {
  const from = low.value < 0 ? { value: 0, open: false } : low;
  const isEmpty =
    from.value > high.value || (from.value === high.value && (from.open || high.open));
  if (isEmpty || from.value > largest) return [];
  const last = Math.min(high.value, largest);
  const first = from.open ? from.value + 1 : from.value;
  return [
    // The last whole number has no fraction, the first one needs some where it is left out itself.
    ...naturals(first, last - 1).map((whole) => sequence(whole, optional(fraction))),
    ...(last >= first && !high.open ? naturals(last, last) : []),
    ...(from.open && from.value < last
      ? [sequence(text(String(from.value)), positiveFraction)]
      : []),
  ];
}

/** The natural numbers from one to another, as few expressions over their digits. */
function naturals(from: number, to: number): Expression[] {
  if (from > to) return [];
  const [low, high] = [String(from), String(to)];
  if (low.length < high.length) {
    const longer = 10 ** low.length;
    return [...naturals(from, longer - 1), ...naturals(longer, to)];
  }
  return [sameLength(low, high)];
}

/** Numbers between two of as many digits. */
function sameLength(low: string, high: string): Expression {
  if (low === "") return sequence();
  const [first, last] = [digit(low), digit(high)];
  const [restLow, restHigh] = [low.slice(1), high.slice(1)];
  const rest = restLow.length;
  if (first === last) return sequence(text(low[0]!), sameLength(restLow, restHigh));
  const lowIsRound = /^0*$/.test(restLow);
  const highIsRound = /^9*$/.test(restHigh);
  const inner: [number, number] = [lowIsRound ? first : first + 1, highIsRound ? last : last - 1];
  return choice(
    ...(lowIsRound ? [] : [sequence(text(low[0]!), sameLength(restLow, "9".repeat(rest)))]),
    ...(inner[0] <= inner[1]
      ? [sequence(characters([0x30 + inner[0], 0x30 + inner[1]]), digits(rest, rest))]
      : []),
    ...(highIsRound ? [] : [sequence(text(high[0]!), sameLength("0".repeat(rest), restHigh))]),
  );
}

const digit = (number: string): number => Number(number[0]);
