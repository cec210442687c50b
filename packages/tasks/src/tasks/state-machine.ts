import { answersName } from "../named-answer.ts";
import { scaled, type Task } from "../task.ts";

const PHRASINGS: readonly ((moves: string, start: string, input: string) => string)[] = [
  (moves, start, input) =>
    `A machine has these moves: ${moves}. It starts in ${start} and reads ${input}. Where does it end?`,
  (moves, start, input) =>
    `Follow the moves ${moves} from ${start} for the input ${input}. What is the last state?`,
  (moves, start, input) =>
    `Given the moves ${moves}, in which state is a machine that starts in ${start} after ${input}?`,
];

const STATES = "PQRSTUVW".split("");

/** The last state of a machine of two to five states on an input of three to twelve digits. */
export const stateMachine: Task = {
  name: "state-machine",
  description: "Follow a small table of moves along an input to the last state.",
  generate(random, difficulty) {
    const states = random.sample(STATES, scaled(difficulty, 2, 5)).toSorted();
    const symbols = ["0", "1"];
    const pairs = states.flatMap((state) => symbols.map((symbol) => `${state}${symbol}`));
    const table = new Map(pairs.map((pair) => [pair, random.pick(states)]));
    const start = random.pick(states);
    const length = scaled(difficulty, 3, 12);
    const input = Array.from({ length }, () => random.pick(symbols)).join("");
    const moves = [...table].map(([pair, next]) => `${pair} to ${next}`).join(", ");
    const { lines, last } = follow(table, start, input);
    const truth = input
      .split("")
      .reduce((state, symbol) => table.get(`${state}${symbol}`) ?? "", start);
    return {
      task: "state-machine",
      key: `${moves}; ${start} ${input}`,
      prompt: random.pick(PHRASINGS)(moves, start, input),
      thinking: lines.join("\n"),
      answer: last,
      verify: (text) => answersName(text, truth, ["machine", "last"]),
    };
  },
};

/** Each line shows the state with what is left of the input, then the move that is made: "P 011: P0 Q". */
function follow(
  table: ReadonlyMap<string, string>,
  start: string,
  input: string,
): { lines: string[]; last: string } {
  const lines: string[] = [];
  let last = start;
  for (let rest = input; rest !== ""; rest = rest.slice(1)) {
    const pair = `${last}${rest[0]}`;
    const next = table.get(pair) ?? "";
    lines.push(`${last} ${rest}: ${pair} ${next}`);
    last = next;
  }
  return { lines: [...lines, last], last };
}
