import { describe, expect, it } from "vitest";
import {
  createRandom,
  generateProblem,
  knightsAndKnaves,
  mazePath,
  miniSudoku,
  objectTracking,
  stateMachine,
  stringRewriting,
  syllogisms,
  type Problem,
  type Task,
} from "./index.ts";

function problemsOf(task: Task, count: number, difficulty?: number): Problem[] {
  const random = createRandom(31);
  return Array.from({ length: count }, () => generateProblem(task, random, { difficulty }));
}

/** All ways to put the items in order. */
function orders<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) => orders(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

/** All sequences of `length` items. */
function sequences<Item>(items: readonly Item[], length: number): Item[][] {
  if (length === 0) return [[]];
  return sequences(items, length - 1).flatMap((start) => items.map((item) => [...start, item]));
}

describe("mini-sudoku", () => {
  const differ = (cells: string) => new Set(cells).size === 4;
  const rows = orders(["1", "2", "3", "4"]).map((row) => row.join(""));
  const pairs = rows.flatMap((a) => rows.map((b) => [a, b] as const));
  const bands = pairs.filter(
    ([a, b]) => differ(a.slice(0, 2) + b.slice(0, 2)) && differ(a.slice(2) + b.slice(2)),
  );
  const grids = bands
    .flatMap((top) => bands.map((bottom) => [...top, ...bottom]))
    .filter((grid) =>
      [0, 1, 2, 3].every((column) => differ(grid.map((row) => row[column]).join(""))),
    )
    .map((grid) => grid.join(" "));

  it("accepts every solution and no other grid", () => {
    expect(grids).toHaveLength(288);
    let severalSolutions = 0;
    for (const problem of problemsOf(miniSudoku, 100)) {
      const givens = (/[0-4]{4}( [0-4]{4}){3}/.exec(problem.prompt)?.[0] ?? "none").replaceAll(
        "0",
        ".",
      );
      const solutions = grids.filter((grid) => new RegExp(`^${givens}$`).test(grid));
      expect(grids.filter((grid) => problem.verify(grid))).toEqual(solutions);
      expect(solutions).toContain(problem.answer);
      if (solutions.length > 1) severalSolutions += 1;
    }
    expect(severalSolutions).toBeGreaterThan(5);
  });

  it("refuses a grid that only agrees with the givens, and reads one with a line a row", () => {
    for (const problem of problemsOf(miniSudoku, 50)) {
      const { prompt, answer } = problem;
      const givens = /[0-4]{4}( [0-4]{4}){3}/.exec(prompt)?.[0] ?? "";
      expect(problem.verify(givens)).toBe(false);
      expect(problem.verify(givens.replaceAll("0", "1"))).toBe(false);
      expect(problem.verify(`The solution is:\n${answer.replaceAll(" ", "\n")}`)).toBe(true);
    }
  });
});

describe("maze-path", () => {
  const steps: Record<string, [number, number]> = { R: [0, 1], L: [0, -1], U: [-1, 0], D: [1, 0] };

  function walks(prompt: string, moves: readonly string[]): boolean {
    const rows = (/[SG.#](?: [SG.#/])+/.exec(prompt)?.[0] ?? "").split(" / ");
    const maze = rows.map((row) => row.split(" "));
    let row = maze.findIndex((cells) => cells.includes("S"));
    let column = maze[row]?.indexOf("S") ?? -1;
    for (const move of moves) {
      const [down, right] = steps[move] ?? [0, 0];
      [row, column] = [row + down, column + right];
      if (!/[SG.]/.test(maze[row]?.[column] ?? "#")) return false;
    }
    return maze[row]?.[column] === "G";
  }

  it("accepts a path exactly when it stays off the walls and ends at the goal", () => {
    const all = [1, 2, 3, 4, 5].flatMap((length) => sequences(["R", "L", "U", "D"], length));
    let right = 0;
    for (const problem of problemsOf(mazePath, 20, 0)) {
      const { prompt } = problem;
      for (const moves of all) {
        const expected = walks(prompt, moves);
        expect(problem.verify(moves.join(" ")), `${prompt} ${moves.join(" ")}`).toBe(expected);
        if (expected) right += 1;
      }
    }
    expect(right).toBeGreaterThan(20);
  });

  it("reads letters in one word, commas and whole words", () => {
    const words: Record<string, string> = { R: "right", L: "left", U: "up", D: "down" };
    for (const problem of problemsOf(mazePath, 50)) {
      const { answer } = problem;
      const moves = answer.split(" ");
      expect(problem.verify(moves.join(""))).toBe(true);
      expect(problem.verify(`The path is: ${moves.join(", ").toLowerCase()}.`)).toBe(true);
      expect(problem.verify(moves.map((move) => words[move]).join(", "))).toBe(true);
    }
  });
});

describe("knights-and-knaves", () => {
  /** Whether the prompt's statements hold for exactly those who are knights. */
  function agrees(prompt: string, isKnight: (person: string) => boolean): boolean {
    return [...prompt.matchAll(/(\w+) says (.+?)\./g)].every(([, speaker = "", said = ""]) => {
      const [one = "", other = one] = said.match(/\b[A-Z]\w+/g) ?? [];
      const wanted = said.includes("knight");
      const [first, second] = [isKnight(one), isKnight(other)];
      const holds = said.includes("kind")
        ? (first === second) === said.includes("same")
        : said.includes(" or ")
          ? first === wanted || second === wanted
          : first === wanted && second === wanted;
      return holds === isKnight(speaker);
    });
  }

  it("has exactly one solution and accepts only that", () => {
    for (const problem of problemsOf(knightsAndKnaves, 300)) {
      const { prompt, answer } = problem;
      const people = [...prompt.matchAll(/(\w+) says/g)].map(([, name = ""]) => name);
      const ways = sequences([true, false], people.length);
      const groups = ways.map((way) => people.filter((_, i) => way[i]));
      const solutions = groups.filter((group) =>
        agrees(prompt, (person) => group.includes(person)),
      );
      expect(solutions.map((group) => group.join(" and "))).toEqual([answer]);
      expect(groups.filter((group) => problem.verify(group.join(", ")))).toEqual(solutions);
    }
  });

  it("reads what each is, lists and lead-ins", () => {
    for (const problem of problemsOf(knightsAndKnaves, 50)) {
      const { prompt, answer } = problem;
      const people = [...prompt.matchAll(/(\w+) says/g)].map(([, name = ""]) => name);
      const knights = answer.split(" and ");
      const kinds = people.map(
        (each) => `${each} is a ${knights.includes(each) ? "knight" : "knave"}`,
      );
      expect(problem.verify(kinds.join(", "))).toBe(true);
      expect(problem.verify(`Knights: ${knights.join(", ")}.`)).toBe(true);
      expect(problem.verify(`Only ${answer}.`)).toBe(true);
      expect(problem.verify("Nobody.")).toBe(false);
    }
  });
});

describe("syllogisms", () => {
  /** Everything that follows from being (true) or not being (false) something. */
  function consequences(prompt: string, known: string): Map<string, boolean> {
    const premises = [...prompt.matchAll(/(Every|No) (\w+) is a (\w+)/g)];
    const follows = new Map([[known, true]]);
    for (let size = 0; size < follows.size;) {
      size = follows.size;
      for (const [, kind, subject = "", predicate = ""] of premises) {
        const positive = kind === "Every";
        if (follows.get(subject) === true) follows.set(predicate, positive);
        if (follows.get(predicate) === !positive) follows.set(subject, false);
      }
    }
    return follows;
  }

  it("agrees with deriving all that follows, each verdict being frequent", () => {
    const counts: Record<string, number> = {};
    for (const { prompt, answer, key } of problemsOf(syllogisms, 600)) {
      const [, known = "", asked = ""] = /(\w+): (\w+)\?$/.exec(key) ?? [];
      const verdict = consequences(prompt, known).get(asked);
      expect(answer).toBe(verdict === undefined ? "unknown" : verdict ? "yes" : "no");
      counts[answer] = (counts[answer] ?? 0) + 1;
    }
    for (const verdict of ["yes", "no", "unknown"]) expect(counts[verdict]).toBeGreaterThan(150);
  });
});

describe("tasks that can be replayed from the prompt", () => {
  it("string-rewriting: no rule fits any more, and each step was the first that fits", () => {
    for (const problem of problemsOf(stringRewriting, 300)) {
      const { prompt, answer } = problem;
      const letters = /(?:with|Rewrite|letters) ((?:[a-d] )*[a-d])\b/.exec(prompt)?.[1] ?? "";
      const rules = [...prompt.matchAll(/([a-d] [a-d]) by ([a-d](?: [a-d]\b)?)/g)];
      const apply = (text: string): string => {
        const [, from = "", to = ""] = rules.find(([, each = ""]) => text.includes(each)) ?? [];
        return from === "" ? text : apply(text.replace(from, to));
      };
      expect(answer).toBe(apply(letters));
      expect(problem.verify(`The last string is "${answer.replaceAll(" ", "")}".`)).toBe(true);
    }
  });

  it("object-tracking: swapping one by one", () => {
    for (const problem of problemsOf(objectTracking, 300)) {
      const { prompt, answer } = problem;
      const has = new Map(
        [...prompt.matchAll(/(\w+) has a (\w+)\./g)].map(([, a = "", b = ""]) => [a, b]),
      );
      for (const [, a = "", b = ""] of prompt.matchAll(
        /(\w+) (?:and|trades with|swaps with) (\w+)(?: swap)?\./g,
      )) {
        const [first = "", second = ""] = [has.get(a), has.get(b)];
        has.set(a, second).set(b, first);
      }
      const person = /What does (\w+)/.exec(prompt)?.[1];
      const object = /Who has the (\w+)/.exec(prompt)?.[1] ?? "";
      const holder = [...has.keys()].find((each) => has.get(each) === object);
      expect(answer).toBe(person === undefined ? holder : has.get(person));
      const sentence =
        person === undefined ? `${answer} has the ${object}.` : `${person} has the ${answer}.`;
      expect(problem.verify(sentence)).toBe(true);
    }
  });

  it("state-machine: following the moves", () => {
    for (const problem of problemsOf(stateMachine, 300)) {
      const { prompt, answer } = problem;
      const moves = new Map(
        [...prompt.matchAll(/([A-Z][01]) to ([A-Z])/g)].map(([, a, b = ""]) => [a, b]),
      );
      const start = /(?:starts in|from) ([A-Z])\b/.exec(prompt)?.[1] ?? "";
      const input = /(?<![A-Z])[01]{3,}/.exec(prompt)?.[0] ?? "";
      const last = input
        .split("")
        .reduce((state, symbol) => moves.get(`${state}${symbol}`) ?? "", start);
      expect(answer).toBe(last);
      expect(problem.verify(`It ends in state ${answer}.`)).toBe(true);
    }
  });
});
