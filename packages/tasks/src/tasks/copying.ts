import { answeredWords } from "../final-answer.ts";
import { scaled, type Task } from "../task.ts";
import { pickLetters, pickWords } from "../words.ts";

const PHRASINGS: readonly ((items: string, list: string) => string)[] = [
  (items, list) => `Repeat these ${items}: ${list}`,
  (items, list) => `Copy these ${items}: ${list}`,
  (items, list) => `Write these ${items} again: ${list}`,
  (items, list) => `Say exactly these ${items}: ${list}`,
];

/** Rows of words or letters, repeated as they are. */
export const copying: Task = {
  name: "copying",
  description: "Repeat a row of words or letters exactly.",
  generate(random, difficulty) {
    const letters = random.chance(0.5);
    const items = letters
      ? pickLetters(random, scaled(difficulty, 3, 9))
      : pickWords(random, scaled(difficulty, 2, 9));
    const list = items.join(" ");
    const numbered = items.map((item, i) => `${item}${i + 1}`);
    return {
      task: "copying",
      key: list,
      prompt: random.pick(PHRASINGS)(letters ? "letters" : "words", list),
      thinking: `${numbered.join(" ")}\n${list}`,
      answer: list,
      verify: (text) => {
        const found = answeredWords(text);
        return found.length === items.length && items.every((item, i) => item === found[i]);
      },
    };
  },
};
