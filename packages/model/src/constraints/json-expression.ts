import {
  anyCharacter,
  characters,
  choice,
  optional,
  repeat,
  rule,
  sequence,
  text,
  without,
  type CodePoints,
  type Expression,
} from "./expression.ts";

/** Between two parts of JSON. Bounded, so that a model cannot go on with white space for ever. */
export const space: Expression = optional(
  choice(text(" "), sequence(text("\n"), repeat(characters([0x20, 0x20], [0x09, 0x09]), 0, 20))),
);

/** Characters that must not stand in a JSON string as they are. */
const toEscape: readonly CodePoints[] = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
];

const hexDigit: CodePoints[] = [
  [0x30, 0x39],
  [0x41, 0x46],
  [0x61, 0x66],
];
const one = (digits: string): Expression =>
  characters(
    ...Array.from(digits, (digit): CodePoints => [digit.charCodeAt(0), digit.charCodeAt(0)]),
  );
const hex = characters(...hexDigit);

/** `\uXXXX` of one character; one beyond U+FFFF takes two, and half of one is none. */
const unicodeEscape = choice(
  sequence(text("\\u"), one("0123456789abcefABCEF"), hex, hex, hex),
  sequence(text("\\u"), one("dD"), one("01234567"), hex, hex),
  sequence(
    text("\\u"),
    one("dD"),
    one("89abAB"),
    hex,
    hex,
    text("\\u"),
    one("dD"),
    one("cdefCDEF"),
    hex,
    hex,
  ),
);

/** One character inside a JSON string, however it is written. */
const anyStringCharacter = choice(
  characters(...without(anyCharacter, toEscape)),
  sequence(text("\\"), one('"\\/bfnrt')),
  unicodeEscape,
);

/** A JSON string of so many characters. */
export function jsonString(min = 0, max = Infinity): Expression {
  return sequence(
    text('"'),
    repeat(
      rule(() => anyStringCharacter),
      min,
      max,
    ),
    text('"'),
  );
}

/**
 * One of these characters inside a JSON string: as it is, or escaped where it must be.
 */
export function jsonStringCharacters(ranges: readonly CodePoints[]): Expression {
  const plain = without(ranges, toEscape);
  const escaped = toEscape.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((point) =>
      ranges.some(([from, to]) => from <= point && point <= to),
    ),
  );
  return choice(
    ...(plain.length > 0 ? [characters(...plain)] : []),
    ...escaped.map((point) => text(JSON.stringify(String.fromCodePoint(point)).slice(1, -1))),
  );
}

/** A list of parts, with commas and white space, between brackets. */
export function separated(
  open: string,
  item: Expression,
  close: string,
  min = 0,
  max = Infinity,
): Expression {
  if (max === 0) return sequence(text(open), space, text(close));
  const more = repeat(sequence(space, text(","), space, item), Math.max(0, min - 1), max - 1);
  const items = sequence(item, more, space);
  return sequence(text(open), space, min > 0 ? items : optional(items), text(close));
}

/** `"key": value` */
export function member(key: Expression, value: Expression): Expression {
  return sequence(key, space, text(":"), space, value);
}

const digits = (min: number, max: number): Expression => repeat(characters([0x30, 0x39]), min, max);

/** Any number that a float64 holds as finite, with at most 15 digits before and after the point. */
export const jsonNumber: Expression = sequence(
  optional(text("-")),
  choice(text("0"), sequence(characters([0x31, 0x39]), digits(0, 14))),
  optional(sequence(text("."), digits(1, 15))),
  optional(sequence(one("eE"), optional(one("+-")), digits(1, 2))),
);

export const jsonLiteral = (value: unknown): Expression => text(JSON.stringify(value));

/** Any JSON value. */
export const jsonValue: Expression = rule(() =>
  choice(
    jsonObject,
    separated("[", jsonValue, "]"),
    jsonString(),
    jsonNumber,
    jsonLiteral(true),
    jsonLiteral(false),
    jsonLiteral(null),
  ),
);

/** Any JSON object. */
export const jsonObject: Expression = rule(() =>
  separated("{", member(jsonString(), jsonValue), "}"),
);
