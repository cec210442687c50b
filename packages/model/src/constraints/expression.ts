/** Unicode code points from one to another, both included. */
export type CodePoints = readonly [first: number, last: number];

/** A set of texts, as an expression over characters; rules make it recursive. */
export type Expression =
  | { kind: "characters"; ranges: readonly CodePoints[] }
  | { kind: "token"; text: string }
  | { kind: "sequence"; parts: readonly Expression[] }
  | { kind: "choice"; options: readonly Expression[] }
  | { kind: "repeat"; of: Expression; min: number; max: number }
  | { kind: "rule"; rule: Rule };

/** A named part, built when it is first needed, so that it may contain itself. */
export interface Rule {
  build: () => Expression;
}

/** One character of these ranges. */
export function characters(...ranges: CodePoints[]): Expression {
  return { kind: "characters", ranges };
}

export function text(exactly: string): Expression {
  return sequence(
    ...Array.from(exactly, (character) => {
      const point = character.codePointAt(0)!;
      return characters([point, point]);
    }),
  );
}

/** The added token of this text, as one symbol. */
export function addedToken(exactly: string): Expression {
  return { kind: "token", text: exactly };
}

export function sequence(...parts: Expression[]): Expression {
  return { kind: "sequence", parts };
}

export function choice(...options: Expression[]): Expression {
  return { kind: "choice", options };
}

export function repeat(of: Expression, min: number, max = Infinity): Expression {
  return { kind: "repeat", of, min, max };
}

export function optional(part: Expression): Expression {
  return choice(part, sequence());
}

export function rule(build: () => Expression): Expression {
  return { kind: "rule", rule: { build } };
}

/** All that is in `ranges` and not in `excluded`. */
export function without(
  ranges: readonly CodePoints[],
  excluded: readonly CodePoints[],
): CodePoints[] {
  let left = [...ranges];
  for (const [first, last] of excluded) {
    left = left.flatMap(([from, to]): CodePoints[] => [
      ...(from < first ? [[from, Math.min(to, first - 1)] as const] : []),
      ...(to > last ? [[Math.max(from, last + 1), to] as const] : []),
    ]);
  }
  return left.filter(([from, to]) => from <= to);
}

/** Every character; halves of surrogate pairs are none. */
export const anyCharacter: readonly CodePoints[] = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];
