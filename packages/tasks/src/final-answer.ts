/** The end of the thought in M1's replies. */
const THOUGHT_END = "</think>";
const LEAD_IN = /^.*\b(?:answer|result|sum|difference|code|word|date|day|value|it)(?: is:?|:)\s*/i;
const QUOTES = /^["'“”‘’`]+|["'“”‘’`]+$/g;

/**
 * What a reply finally says: the text after the thought, without a lead-in such as "The answer is",
 * quotes, and a closing full stop. A thought that never ends gives "".
 */
export function finalAnswer(text: string): string {
  const end = text.lastIndexOf(THOUGHT_END);
  if (end < 0 && text.includes("<think>")) return "";
  const reply = end < 0 ? text : text.slice(end + THOUGHT_END.length);
  return reply
    .trim()
    .replace(LEAD_IN, "")
    .replace(/[.!]+$/, "")
    .replace(QUOTES, "")
    .replace(/[.!]+$/, "")
    .trim();
}

/** All whole numbers of the final answer, in order; "4,821" is one number, "4, 821" is two. */
export function answeredNumbers(text: string): number[] {
  const plain = finalAnswer(text)
    .replaceAll("−", "-")
    .replace(/(?<=\d),(?=\d{3}\b)/g, "");
  return (plain.match(/(?<!\d)-?\d+(?:\.\d+)?/g) ?? []).map(Number);
}

/** Whether the final answer names exactly one number and it is `expected`. */
export function answersNumber(text: string, expected: number): boolean {
  const [found, ...others] = answeredNumbers(text);
  return found === expected && others.length === 0;
}

/** The words of the final answer in lower case, parted by spaces or commas. */
export function answeredWords(text: string): string[] {
  return finalAnswer(text)
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== "");
}
