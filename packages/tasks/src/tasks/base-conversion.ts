import { answersNumber, finalAnswer } from "../final-answer.ts";
import { scaled, type Task } from "../task.ts";

type Base = "decimal" | "binary" | "hexadecimal";

const RADIX: Record<Base, number> = { decimal: 10, binary: 2, hexadecimal: 16 };
const BASES: readonly Base[] = ["decimal", "binary", "hexadecimal"];

const PHRASINGS: readonly ((number: string, from: Base, to: Base) => string)[] = [
  (number, from, to) => `Convert the ${from} number ${number} to ${to}.`,
  (number, from, to) => `Write the ${from} number ${number} in ${to}.`,
  (number, from, to) => `What is ${from} ${number} in ${to}?`,
];

/** Numbers of five to ten bits from one of three bases to another, by way of binary. */
export const baseConversion: Task = {
  name: "base-conversion",
  description: "Convert a number below 1024 between decimal, binary and hexadecimal.",
  generate(random, difficulty) {
    const bits = scaled(difficulty, 7, 10);
    const value = random.integer(2 ** (bits - 2), 2 ** bits - 1);
    const [from = "decimal", to = "binary"] = random.sample(BASES, 2);
    const number = value.toString(RADIX[from]).toUpperCase();
    const lines = [`${from} ${number} to ${to}`];
    const binary = from === "binary" ? number : toBinary(from, number, lines);
    const answer = to === "binary" ? binary : fromBinary(to, binary, lines);
    return {
      task: "base-conversion",
      key: `${from} ${number} to ${to}`,
      prompt: random.pick(PHRASINGS)(number, from, to),
      thinking: [...lines, answer].join("\n"),
      answer,
      verify: (text) => denotes(text, to, value),
    };
  },
};

/** Whether the reply is the value in the base; "0x2d", "0010 1101" and "101101 in binary" will do. */
function denotes(text: string, base: Base, value: number): boolean {
  if (base === "decimal") return answersNumber(text, value);
  const digits = finalAnswer(text)
    .replace(/ (?:in|\()\s*(?:binary|hexadecimal|hex)\)?$/i, "")
    .replace(base === "binary" ? /^0b/i : /^0x/i, "")
    .replaceAll(" ", "");
  const allowed = base === "binary" ? /^[01]+$/ : /^[0-9a-f]+$/i;
  return allowed.test(digits) && Number.parseInt(digits, RADIX[base]) === value;
}

/** Writes lines to `lines`; gives the digits without leading zeros. */
function toBinary(from: Base, number: string, lines: string[]): string {
  if (from === "decimal") return halve(Number(number), lines);
  const groups = number.split("").map((digit, i) => {
    const bits = Number.parseInt(digit, 16).toString(2);
    return { digit, bits: i === 0 ? bits : bits.padStart(4, "0") };
  });
  lines.push(groups.map(({ digit, bits }) => `${digit}=${bits}`).join(" "));
  const binary = groups.map(({ bits }) => bits).join("");
  lines.push(binary);
  return binary;
}

function fromBinary(to: Base, binary: string, lines: string[]): string {
  if (to === "decimal") return double(binary, lines);
  const groups = binary.match(/\d{1,4}(?=(?:\d{4})*$)/g) ?? [];
  const digits = groups.map((bits) => Number.parseInt(bits, 2).toString(16).toUpperCase());
  lines.push(groups.join(" "), groups.map((bits, i) => `${bits}=${digits[i]}`).join(" "));
  return digits.join("");
}

/** Halves down to 0; the rests, each put before the ones so far, are the digits: "37/2=18 r1: 1". */
function halve(value: number, lines: string[]): string {
  let [left, binary] = [value, ""];
  while (left > 0) {
    const [half, rest] = [Math.floor(left / 2), left % 2];
    binary = `${rest}${binary}`;
    lines.push(`${left}/2=${half} r${rest}: ${binary}`);
    left = half;
  }
  return binary;
}

/** Doubles and adds digit by digit, with what is left behind a colon: "2*2+0=4: 101". */
function double(binary: string, lines: string[]): string {
  let value = 0;
  for (const [i, digit] of binary.split("").entries()) {
    const next = value * 2 + Number(digit);
    const rest = binary.slice(i + 1);
    lines.push(`${value}*2+${digit}=${next}${rest && `: ${rest}`}`);
    value = next;
  }
  return String(value);
}
