import { answeredWords } from "../final-answer.ts";
import type { Random } from "../random.ts";
import { scaled, type Problem, type Task } from "../task.ts";
import { pickLetters, pickWord, pickWords } from "../words.ts";

const WORD_PHRASINGS: readonly ((word: string) => string)[] = [
  (word) => `Write the word "${word}" backwards.`,
  (word) => `Reverse the word "${word}".`,
  (word) => `Spell "${word}" backwards.`,
  (word) => `What is "${word}" written in reverse?`,
];
const LETTER_PHRASINGS: readonly ((list: string) => string)[] = [
  (list) => `Reverse these letters: ${list}`,
  (list) => `Write these letters in reverse order: ${list}`,
  (list) => `Write these letters backwards: ${list}`,
];
const LIST_PHRASINGS: readonly ((list: string) => string)[] = [
  (list) => `Reverse the order of these words: ${list}`,
  (list) => `Write these words in reverse order: ${list}`,
  (list) => `Write these words from last to first: ${list}`,
];

/** Words, rows of letters and rows of words, backwards. */
export const reversing: Task = {
  name: "reversing",
  description: "Reverse a word, a row of letters or a row of words.",
  generate(random, difficulty) {
    const kind = random.integer(0, 2);
    if (kind === 0) return reversedWord(random, difficulty);
    if (kind === 1) {
      const letters = pickLetters(random, scaled(difficulty, 3, 9));
      return reversedRow(letters, random.pick(LETTER_PHRASINGS));
    }
    return reversedRow(pickWords(random, scaled(difficulty, 2, 7)), random.pick(LIST_PHRASINGS));
  },
};

function reversedWord(random: Random, difficulty: number): Problem {
  const word = pickWord(random, scaled(difficulty, 3, 9));
  const steps = numberedBackwards(word.split(""));
  const answer = steps.backwards.join("");
  return {
    task: "reversing",
    key: word,
    prompt: random.pick(WORD_PHRASINGS)(word),
    thinking: `${steps.lines.join("\n")}\n${answer}`,
    answer,
    verify: (text) => mirrors(word, answeredWords(text).join("")),
  };
}

function reversedRow(items: readonly string[], phrase: (list: string) => string): Problem {
  const list = items.join(" ");
  const steps = numberedBackwards(items);
  const answer = steps.backwards.join(" ");
  return {
    task: "reversing",
    key: list,
    prompt: phrase(list),
    thinking: `${steps.lines.join("\n")}\n${answer}`,
    answer,
    verify: (text) => {
      const found = answeredWords(text);
      return found.length === items.length && found.every((item, i) => item === items.at(-1 - i));
    },
  };
}

/** "a1 b2 c3", then "c3 b2 a1": the numbers say which item comes next. */
function numberedBackwards(items: readonly string[]): { lines: string[]; backwards: string[] } {
  const numbered = items.map((item, i) => `${item}${i + 1}`);
  const lines = [numbered.join(" "), numbered.toReversed().join(" ")];
  return { lines, backwards: items.toReversed() };
}

function mirrors(word: string, found: string): boolean {
  return found === word.split("").toReversed().join("");
}
