const thoughtEnd = "</think>";

/**
 * The answer that a solution comes to, behind its thought: what the last `\boxed{…}` contains, what stands
 * behind `####` (GSM8K), what follows "the answer is", or the last number. "" when there is none.
 */
export function mathAnswer(text: string): string {
  const end = text.lastIndexOf(thoughtEnd);
  if (end < 0 && text.includes("<think>")) return "";
  const reply = end < 0 ? text : text.slice(end + thoughtEnd.length);
  const marked = boxedAnswer(reply) ?? /####\s*(.+)/.exec(reply)?.[1] ?? statedAnswer(reply.trim());
  return marked.trim();
}

/** What the last `\boxed{…}` of a solution contains, braces within it included; undefined without one. */
export function boxedAnswer(solution: string): string | undefined {
  const [mark] = [...solution.matchAll(/\\f?boxed\s*\{/g)].slice(-1);
  if (!mark) return undefined;
  const start = mark.index + mark[0].length;
  let open = 1;
  for (let i = start; i < solution.length; i++) {
    if (solution[i] === "{") open += 1;
    if (solution[i] === "}") open -= 1;
    if (open === 0) return solution.slice(start, i);
  }
  return undefined;
}

function statedAnswer(reply: string): string {
  // In parts: a pattern that looks for the last one itself takes the square of the length.
  const parts = reply.split(/\banswer is:?/i).slice(1);
  const last = parts.map((part) => part.trim()).findLast((part) => part !== "");
  const stated = last?.split("\n", 1)[0]!.replace(/[.!]$/, "");
  if (stated?.includes("\\")) return stated;
  const numbers = (stated ?? reply).match(
    /(?:(?<![\w)])-)?\$?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:\/\d+)?/g,
  );
  return numbers?.at(-1) ?? stated ?? "";
}

/**
 * Whether two answers are the same number, or the same text but for how it is set: signs of money and
 * percent, units behind a number, `x =` before it, spaces, `\left`, `\text{…}`, the kinds of
 * fractions, braces of short roots. It does not compute: `x+1` is not `1+x`.
 */
export function isSameMathAnswer(one: string, other: string): boolean {
  const [first, second] = [plain(one), plain(other)];
  if (first === "" || second === "") return false;
  // Whole numbers may be larger than a double tells apart.
  if ([first, second].every((text) => wholeNumber.test(text)))
    return BigInt(first) === BigInt(second);
  const [a, b] = [valueOf(first), valueOf(second)];
  return a !== undefined && b !== undefined ? Math.abs(a - b) < 1e-9 : first === second;
}

/** An answer as majorities count it: the same for answers that are the same. */
export function mathAnswerKey(answer: string): string {
  const text = plain(answer);
  return String(wholeNumber.test(text) ? BigInt(text) : (valueOf(text) ?? text));
}

const wholeNumber = /^-?\d+$/;
/** `5\text{ cm}^2`, but not a text by itself. */
const unit =
  /(?<=[\d}])(?:\\[,;: ]|[\s~])*\\(?:text|mathrm|mbox)\s*\{[^{}]*\}(?:\s*\^\s*\{?\d\}?)?\s*$/;

function plain(answer: string): string {
  return (
    answer
      .replaceAll("−", "-")
      .replaceAll("{,}", ",")
      .replace(unit, "")
      .replace(/\\(?:text|mathrm|textbf|mathbf|mbox)\s*\{([^{}]*)\}/g, "$1")
      .replace(/\\[dt]frac/g, "\\frac")
      .replace(/\\frac\s*(\d)\s*(\d)/g, "\\frac{$1}{$2}")
      .replace(/\\sqrt\s*([\da-z])/gi, "\\sqrt{$1}")
      .replace(/\\left|\\right|\\[!,;: ]|\\\(|\\\)|\\\[|\\\]|\\?\$|\\?%|\^\s*\{?\\circ\}?/g, "")
      .replace(/\s+/g, "")
      .replace(/^(?:[a-z]=)?\+?/i, "")
      // Within brackets a comma parts numbers.
      .replace(/(?<=^-?[\d,]*\d),(?=\d{3}\b)/g, "")
      .replace(/\.$/, "")
      .toLowerCase()
  );
}

/** The number that a text is, fractions included. */
function valueOf(text: string): number | undefined {
  const fraction =
    /^(-?)\\frac\{(-?\d+)\}\{(-?\d+)\}$/.exec(text) ?? /^(-?)(\d+)\/(-?\d+)$/.exec(text);
  if (fraction) {
    const [, sign, above, below] = fraction;
    return ((sign === "-" ? -1 : 1) * Number(above)) / Number(below);
  }
  return /^-?(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : undefined;
}
