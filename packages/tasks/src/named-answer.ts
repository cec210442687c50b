import { finalAnswer } from "./final-answer.ts";

/** Words that say nothing by themselves in a short answer. */
const FILLERS = new Set(
  "a an the it is are has have in at with and so only both ends state".split(" "),
);

/** The final answer without a lead-in up to the last "is", "are" or colon: "The path is: R D". */
export function withoutLeadIn(text: string): string {
  return finalAnswer(text)
    .replace(/^.*(?:\b(?:is|are)\b:?|:)\s*/is, "")
    .replace(/^["'“”‘’`]+/, "");
}

/** The final answer's words in lower case, without punctuation and fillers, but for one `kept`. */
export function plainWords(text: string, kept = ""): string[] {
  const words = finalAnswer(text)
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu);
  return (words ?? []).filter((word) => word === kept || !FILLERS.has(word));
}

/**
 * Whether the final answer names `expected` once and nothing else but fillers and `context` words,
 * whatever the case: "Bob has the ball." for "bob" with the context "ball".
 */
export function answersName(
  text: string,
  expected: string,
  context: readonly string[] = [],
): boolean {
  const wanted = expected.toLowerCase();
  const passed = new Set(context.map((word) => word.toLowerCase()));
  const named = plainWords(text, wanted).filter((word) => !passed.has(word));
  return named.length === 1 && named[0] === wanted;
}
