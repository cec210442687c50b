import {
  addedToken,
  anyCharacter,
  characters,
  choice,
  rule,
  sequence,
  without,
  type Expression,
} from "./expression.ts";

/**
 * Any text without a trigger, or text up to the first trigger with `follows` behind it; an added token
 * of the trigger's text is one too.
 * @param trigger its first character occurs in it once
 */
export function triggered(trigger: string, follows: Expression): Expression {
  const points = Array.from(trigger, (character) => character.codePointAt(0)!);
  const first = points[0]!;
  /** By how much of the trigger has come. */
  const after = points.map((_, matched): Expression => rule(() => ways(matched)));
  const ways = (matched: number): Expression => {
    const next = points[matched]!;
    const others = without(anyCharacter, [
      [first, first],
      [next, next],
    ]);
    return choice(
      sequence(),
      sequence(characters(...others), after[0]!),
      sequence(characters([next, next]), after[matched + 1] ?? follows),
      sequence(addedToken(trigger), follows),
      ...(matched > 0 ? [sequence(characters([first, first]), after[1] ?? follows)] : []),
    );
  };
  return after[0]!;
}
