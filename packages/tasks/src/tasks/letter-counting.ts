import { answersNumber } from "../final-answer.ts";
import { scaled, type Task } from "../task.ts";
import { LETTERS, pickWord } from "../words.ts";

const PHRASINGS: readonly ((letter: string, word: string) => string)[] = [
  (letter, word) => `How many times does the letter ${letter} appear in "${word}"?`,
  (letter, word) => `How many ${letter}'s are in "${word}"?`,
  (letter, word) => `Count the letter ${letter} in the word "${word}".`,
  (letter, word) => `How often does ${letter} occur in "${word}"?`,
  (letter, word) => `In the word "${word}", how many times is the letter ${letter} used?`,
];

/** How often a letter is in a word; one time in six it is not there. */
export const letterCounting: Task = {
  name: "letter-counting",
  description: "Count how often a letter appears in a real or nonsense word.",
  generate(random, difficulty) {
    const word = pickWord(random, scaled(difficulty, 3, 12));
    const present = random.chance(5 / 6);
    const letter = random.pick(present ? word.split("") : LETTERS);
    let count = 0;
    const spelled = word.split("").map((each) => {
      if (each === letter) count += 1;
      return `${each}${count}`;
    });
    const truth = word.split(letter).length - 1;
    return {
      task: "letter-counting",
      key: `${letter} ${word}`,
      prompt: random.pick(PHRASINGS)(letter, word),
      thinking: `count ${letter}: ${spelled.join(" ")}\ntotal ${count}`,
      answer: String(count),
      verify: (text) => answersNumber(text, truth),
    };
  },
};
