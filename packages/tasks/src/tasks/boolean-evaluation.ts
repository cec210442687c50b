import { finalAnswer } from "../final-answer.ts";
import type { Random } from "../random.ts";
import { scaled, type Task } from "../task.ts";

const PHRASINGS: readonly ((expression: string) => string)[] = [
  (expression) => `True or false: ${expression}?`,
  (expression) => `Evaluate: ${expression}`,
  (expression) => `What is the value of ${expression}?`,
  (expression) => `Work out whether this is true or false: ${expression}`,
];

/** Expressions of true, false, not, and, or, in words; brackets leave no question of precedence. */
export const booleanEvaluation: Task = {
  name: "boolean-evaluation",
  description: "Evaluate an expression of true and false with not, and, or.",
  generate(random, difficulty) {
    const { text, value } = drawExpression(random, scaled(difficulty, 3, 7));
    const expression = withoutOuterBrackets(text);
    const lines = reduce(expression);
    return {
      task: "boolean-evaluation",
      key: expression,
      prompt: random.pick(PHRASINGS)(expression),
      thinking: [expression, ...lines].join("\n"),
      answer: /\w+$/.exec(lines.at(-1) ?? "")?.[0] ?? "",
      verify: (reply) => claimedValue(reply) === value,
    };
  },
};

/** "true", "False", "it is true"; undefined for anything else. */
function claimedValue(reply: string): boolean | undefined {
  const claimed = /^(?:.* (?:is|to) )?(true|false)$/i.exec(finalAnswer(reply))?.[1];
  return claimed === undefined ? undefined : claimed.toLowerCase() === "true";
}

interface Expression {
  text: string;
  value: boolean;
}

/** An expression with `leaves` constants, in brackets unless it is a constant or negated. */
function drawExpression(random: Random, leaves: number): Expression {
  if (leaves === 1) {
    const value = random.chance(0.5);
    return maybeNegated(random, { text: String(value), value });
  }
  const leftLeaves = random.integer(1, leaves - 1);
  const left = drawExpression(random, leftLeaves);
  const right = drawExpression(random, leaves - leftLeaves);
  const both = random.chance(0.5);
  return maybeNegated(random, {
    text: `(${left.text} ${both ? "and" : "or"} ${right.text})`,
    value: both ? left.value && right.value : left.value || right.value,
  });
}

function maybeNegated(random: Random, { text, value }: Expression): Expression {
  return random.chance(0.25) ? { text: `not ${text}`, value: !value } : { text, value };
}

function withoutOuterBrackets(text: string): string {
  return text.startsWith("(") ? text.slice(1, -1) : text;
}

/** The first operation on constants: a negation, a pair in brackets, or the last pair. */
const OPERATION =
  /not (true|false)|\((true|false) (and|or) (true|false)\)|^(true|false) (and|or) (true|false)$/;

/** Each line works out one operation and copies the rest: "not true=false: false or true". */
function reduce(expression: string): string[] {
  const [operation] = OPERATION.exec(expression) ?? [];
  if (operation === undefined) return [];
  const rest = expression.replace(operation, String(valueOf(operation)));
  const line = `${operation}=${valueOf(operation)}`;
  return /^\w+$/.test(rest) ? [line] : [`${line}: ${rest}`, ...reduce(rest)];
}

function valueOf(operation: string): boolean {
  if (operation.startsWith("not")) return operation.includes("false");
  return operation.includes("and") ? !operation.includes("false") : operation.includes("true");
}
