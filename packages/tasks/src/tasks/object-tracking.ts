import { answersName } from "../named-answer.ts";
import { NAMES } from "../names.ts";
import { scaled, type Task } from "../task.ts";

const OBJECTS = "ball book card coin cup hat key map pen ring rope toy".split(" ");

const SWAPS: readonly ((one: string, other: string) => string)[] = [
  (one, other) => `${one} and ${other} swap.`,
  (one, other) => `${one} trades with ${other}.`,
  (one, other) => `${one} swaps with ${other}.`,
];

/** Who has an object, or what a person has, after two to eight swaps among three to five people. */
export const objectTracking: Task = {
  name: "object-tracking",
  description: "Tell who has what after people have swapped their objects several times.",
  generate(random, difficulty) {
    const people = random.sample(NAMES, scaled(difficulty, 3, 5));
    const objects = random.sample(OBJECTS, people.length);
    const swaps = Array.from({ length: scaled(difficulty, 2, 8) }, () => random.sample(people, 2));
    const { lines, held } = trade(people, objects, swaps);
    const seat = random.integer(0, people.length - 1);
    const [person = "", object = ""] = [people[seat], held[seat]];
    const askObject = random.chance(0.5);
    const question = askObject ? `What does ${person} have now?` : `Who has the ${object} now?`;
    const answer = askObject ? object : person;
    const start = people.map((each, i) => `${each} has a ${objects[i]}.`).join(" ");
    const swap = random.pick(SWAPS);
    const told = swaps.map(([one = "", other = ""]) => swap(one, other)).join(" ");
    const asked = askObject ? person : object;
    const truth = askObject
      ? objects[followSeat(people.indexOf(asked), people, swaps.toReversed())]
      : people[followSeat(objects.indexOf(asked), people, swaps)];
    return {
      task: "object-tracking",
      key: `${start} ${swaps.flat().join(" ")} ${asked}?`,
      prompt: `${start} ${told} ${question}`,
      thinking: [...lines, `${asked}: ${answer}`].join("\n"),
      answer,
      verify: (text) => answersName(text, truth ?? "", [asked, "now"]),
    };
  },
};

/** The state, then each swap with the state after it: "Amy Bob: Amy cup Bob ball Cara hat". */
function trade(
  people: readonly string[],
  objects: readonly string[],
  swaps: readonly (readonly string[])[],
): { lines: string[]; held: string[] } {
  const held = [...objects];
  const state = (): string => people.map((person, i) => `${person} ${held[i]}`).join(" ");
  const lines = [state()];
  for (const swap of swaps) {
    const [a = 0, b = 0] = swap.map((person) => people.indexOf(person));
    [held[a], held[b]] = [held[b] ?? "", held[a] ?? ""];
    lines.push(`${swap.join(" ")}: ${state()}`);
  }
  return { lines, held };
}

/** Where one seat leads along the swaps, looking at nothing else. */
function followSeat(
  seat: number,
  people: readonly string[],
  swaps: readonly (readonly string[])[],
): number {
  return swaps.reduce((at, swap) => {
    const [a = 0, b = 0] = swap.map((person) => people.indexOf(person));
    return at === a ? b : at === b ? a : at;
  }, seat);
}
