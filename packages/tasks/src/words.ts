import type { Random } from "./random.ts";

/** The letters that words and rows are made of. */
export const LETTERS: readonly string[] = "abcdefghijklmnopqrstuvwxyz".split("");
const VOWELS = "aeiou".split("");
const CONSONANTS = "bcdfghjklmnpqrstvwxyz".split("");

/** Real words of three to twelve letters. */
const WORDS: readonly string[] = (
  "ant arm bag bed bee box bus cat cow cup day dog ear egg eye fan fox hat hen ice jam key leg map " +
  "net nut owl pen pie pig rat sea sky sun tea toe top toy van zoo " +
  "baby ball bank bear bell bird boat book boot cake coat cold door duck face farm fish foot frog " +
  "game gold hair hand hill home king lake lamp leaf lion milk moon nest park rain ring road rock " +
  "room rose ship shoe snow soup star tree wolf wood " +
  "apple beach bread chair cheese clock cloud dance dress eagle earth field floor fruit glass grape " +
  "grass green horse house juice knife lemon light metal money mouse music night ocean paper pearl " +
  "piano plant queen river sheep sleep smile spoon sugar table tiger train water wheel zebra " +
  "animal banana basket bottle bridge butter button candle carrot castle cherry circle coffee " +
  "cookie dinner dragon finger flower forest garden guitar hammer island jacket kitten ladder " +
  "letter market mirror monkey needle orange pepper pillow planet potato rabbit rocket school " +
  "silver spider summer ticket tomato turtle valley window winter yellow " +
  "balloon blanket cabbage chicken compass diamond dolphin giraffe holiday journey kitchen lantern " +
  "library morning octopus parrots penguin picture pumpkin rainbow teacher thunder village weather " +
  "aardvark alphabet birthday computer dinosaur elephant football hospital kangaroo keyboard " +
  "mountain notebook sandwich squirrel sunshine tomorrow umbrella " +
  "adventure blueberry butterfly chocolate classroom crocodile delicious different fireplace " +
  "lightning newspaper orchestra pineapple raspberry telephone telescope wonderful " +
  "basketball blackberry cinderella gooseberry motorcycle strawberry television toothbrush " +
  "watermelon cheesecake caterpillar information grasshopper imagination skateboarder thunderstorm " +
  "refrigerator temperature university vegetables"
).split(" ");

/** A word of about `length` letters: half of the time a real one, else nonsense like "trobuk". */
export function pickWord(random: Random, length: number): string {
  const real = WORDS.filter((word) => Math.abs(word.length - length) <= 1);
  return random.chance(0.5) && real.length > 0
    ? random.pick(real)
    : nonsenseWord(random, Math.max(2, random.integer(length - 1, length)));
}

/** Different real and nonsense words of three to five letters. */
export function pickWords(random: Random, count: number): string[] {
  const words = new Set<string>();
  while (words.size < count) words.add(pickWord(random, random.integer(3, 5)));
  return [...words];
}

/** A row of letters; a letter may come again. */
export function pickLetters(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => random.pick(LETTERS));
}

/** Mostly changing between consonant and vowel, sometimes doubling a letter. */
function nonsenseWord(random: Random, length: number): string {
  let word = random.pick(LETTERS);
  while (word.length < length) {
    const last = word.slice(-1);
    const expected = VOWELS.includes(last) ? CONSONANTS : VOWELS;
    const drawn = random.fraction();
    if (drawn < 0.1) word += last;
    else word += random.pick(drawn < 0.8 ? expected : LETTERS);
  }
  return word;
}
