import { RegExpParser, type AST } from "@eslint-community/regexpp";
import { ConstraintError } from "./constraint.ts";
import {
  anyCharacter,
  choice,
  repeat,
  sequence,
  without,
  type CodePoints,
  type Expression,
} from "./expression.ts";

/** How a pattern becomes an expression. */
export interface PatternOptions {
  /** One character of these, as it is written in the text. */
  characters: (ranges: readonly CodePoints[]) => Expression;
  /** Whether a match may begin and end anywhere, as JSON Schema has it, unless `^` and `$` say no. */
  searches: boolean;
}

const flags = { unicode: true };

/**
 * An expression for a regular expression of ECMAScript (flag `u`). Look-around, back references,
 * word boundaries, Unicode properties, and anchors elsewhere than at the ends are not supported.
 *
 * @throws ConstraintError
 */
export function patternExpression(pattern: string, options: PatternOptions): Expression {
  const parsed = parse(pattern);
  const anywhere = repeat(options.characters(anyCharacter), 0);
  return choice(
    ...parsed.alternatives.map(({ elements }) => {
      const [first, last] = [elements[0], elements.at(-1)];
      const begins = isEdge(first, "start");
      const ends = isEdge(last, "end");
      const between = elements.slice(begins ? 1 : 0, ends ? -1 : undefined);
      return sequence(
        ...(begins || !options.searches ? [] : [anywhere]),
        ...between.map((element) => elementExpression(element, options)),
        ...(ends || !options.searches ? [] : [anywhere]),
      );
    }),
  );
}

function parse(pattern: string): AST.Pattern {
  try {
    return new RegExpParser().parsePattern(pattern, 0, pattern.length, flags);
  } catch (error) {
    throw new ConstraintError(`pattern: ${(error as Error).message}`, { cause: error });
  }
}

function isEdge(element: AST.Element | undefined, kind: "start" | "end"): boolean {
  return element?.type === "Assertion" && element.kind === kind;
}

function elementExpression(element: AST.Element, options: PatternOptions): Expression {
  const { type } = element;
  if (type === "Quantifier") {
    return repeat(elementExpression(element.element, options), element.min, element.max);
  }
  const isGroup = type === "CapturingGroup" || (type === "Group" && !element.modifiers);
  if (isGroup) return alternatives(element, options);
  if (type === "Character" || type === "CharacterSet" || type === "CharacterClass") {
    return options.characters(rangesOf(element));
  }
  throw unsupported(element);
}

function alternatives(group: AST.Group | AST.CapturingGroup, options: PatternOptions): Expression {
  return choice(
    ...group.alternatives.map(({ elements }) =>
      sequence(...elements.map((element) => elementExpression(element, options))),
    ),
  );
}

/** The characters of a set or class, as separate ranges. */
function rangesOf(
  node: AST.Character | AST.CharacterSet | AST.CharacterClass | AST.CharacterClassElement,
): CodePoints[] {
  switch (node.type) {
    case "Character":
      return [[node.value, node.value]];
    case "CharacterClassRange":
      return [[node.min.value, node.max.value]];
    case "CharacterSet":
      return setRanges(node);
    case "CharacterClass":
      return optionallyNegated(disjoint(node.elements.flatMap(rangesOf)), node.negate);
    case "ClassStringDisjunction":
    case "ExpressionCharacterClass":
      throw unsupported(node);
  }
}

function setRanges(set: AST.CharacterSet): CodePoints[] {
  switch (set.kind) {
    case "any":
      return without(anyCharacter, lineEnds);
    case "digit":
      return optionallyNegated(digits, set.negate);
    case "word":
      return optionallyNegated(wordCharacters, set.negate);
    case "space":
      return optionallyNegated(whiteSpace, set.negate);
    case "property":
      throw unsupported(set);
  }
}

function optionallyNegated(ranges: readonly CodePoints[], negate: boolean): CodePoints[] {
  return negate ? without(anyCharacter, ranges) : [...ranges];
}

/** Ranges without overlaps, and without halves of surrogate pairs. */
function disjoint(ranges: readonly CodePoints[]): CodePoints[] {
  const result: CodePoints[] = [];
  for (const range of ranges) result.push(...without([range], [...result, [0xd800, 0xdfff]]));
  return result;
}

function unsupported(node: { raw: string }): ConstraintError {
  return new ConstraintError(`pattern: "${node.raw}" is not supported`);
}

const lineEnds: CodePoints[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
const digits: CodePoints[] = [[0x30, 0x39]];
const wordCharacters: CodePoints[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const whiteSpace: CodePoints[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
