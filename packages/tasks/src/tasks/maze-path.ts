import { withoutLeadIn } from "../named-answer.ts";
import type { Random } from "../random.ts";
import { scaled, type Task } from "../task.ts";

/** Rows of "S" (start), "G" (goal), "." (free) and "#" (wall). */
type Maze = readonly (readonly string[])[];
type Place = readonly [row: number, column: number];

const PHRASINGS: readonly ((rows: string) => string)[] = [
  (rows) => `Find moves R, L, U, D from S to G around the walls #: ${rows}`,
  (rows) => `Walk from S to G in this maze with moves R, L, U and D (# is a wall): ${rows}`,
  (rows) => `Which moves (R, L, U, D) lead from S to G? The rows, with # for a wall: ${rows}`,
];

/** In the order in which they are tried; the way back is two further on. */
const MOVES: readonly { name: string; step: Place }[] = [
  { name: "R", step: [0, 1] },
  { name: "D", step: [1, 0] },
  { name: "L", step: [0, -1] },
  { name: "U", step: [-1, 0] },
];
const WORDS: Record<string, string> = { right: "r", down: "d", left: "l", up: "u" };
const WALL_SHARE = 0.35;

/** Mazes of three by three to six by six; any path counts. */
export const mazePath: Task = {
  name: "maze-path",
  description: "Find a path through a small maze; any path counts.",
  generate(random, difficulty) {
    const most = scaled(difficulty, 3, 6);
    const size = () => random.integer(Math.max(3, most - 1), most);
    const maze = drawMaze(random, size(), size());
    const found = search(maze, 3 * most);
    if (found === undefined || found.moves.length < most - 1) {
      return mazePath.generate(random, difficulty);
    }
    const rows = maze.map((row) => row.join(" ")).join(" / ");
    return {
      task: "maze-path",
      key: rows,
      prompt: random.pick(PHRASINGS)(rows),
      thinking: found.lines.join("\n"),
      answer: found.moves.join(" "),
      verify: (text) => leadsToGoal(maze, text),
    };
  },
};

function drawMaze(random: Random, height: number, width: number): Maze {
  const places = Array.from({ length: height * width }, (_, place) => place);
  const [start, goal] = random.sample(places, 2);
  return Array.from({ length: height }, (_row, row) =>
    Array.from({ length: width }, (_cell, column) => {
      const place = row * width + column;
      if (place === start) return "S";
      if (place === goal) return "G";
      return random.chance(WALL_SHARE) ? "#" : ".";
    }),
  );
}

function startOf(maze: Maze): Place {
  const row = maze.findIndex((cells) => cells.includes("S"));
  return [row, maze[row]?.indexOf("S") ?? 0];
}

function cellAt(maze: Maze, [row, column]: Place): string | undefined {
  return maze[row]?.[column];
}

function after([row, column]: Place, [down, right]: Place): Place {
  return [row + down, column + right];
}

/** Columns are letters and rows are numbers: "b3". */
function label([row, column]: Place): string {
  return `${"abcdef"[column]}${row + 1}`;
}

/**
 * Depth first. The first lines label all cells; each further line shows a cell, the moves to it,
 * and the moves tried from it, each with what is there ("-" is outside), up to the first free one:
 *
 *     a1S b1. c1#
 *     a2# b2. c2G
 *     a1: R b1.
 *     b1 R: R c1# D b2.
 *     b2 R D: R c2G
 *     R D R
 *
 * Undefined when there is no path, when it takes more than `mostSteps`, or when the search meets a
 * cell for the second time: a thought then never has to remember where it was.
 */
function search(maze: Maze, mostSteps: number): { lines: string[]; moves: string[] } | undefined {
  const lines = maze.map((cells, row) =>
    cells.map((cell, column) => `${label([row, column])}${cell}`).join(" "),
  );
  const path: number[] = [];
  const names = () => path.map((move) => MOVES[move]?.name ?? "");
  let at = startOf(maze);
  let next = 0;
  const seen = new Set([label(at)]);
  for (let steps = 0; steps < mostSteps; steps += 1) {
    const last = path.at(-1);
    const { tried, move, place, cell } = tryMoves(maze, at, next, last);
    const line = `${[label(at), ...names()].join(" ")}:${tried}`;
    if (move < 0) {
      if (last === undefined) return undefined;
      lines.push(`${line} back`);
      at = after(at, MOVES[(last + 2) % 4]?.step ?? [0, 0]);
      next = last + 1;
      path.pop();
      continue;
    }
    lines.push(line);
    path.push(move);
    if (cell === "G") return { lines: [...lines, names().join(" ")], moves: names() };
    if (seen.has(label(place))) return undefined;
    seen.add(label(place));
    [at, next] = [place, 0];
  }
  return undefined;
}

/** Tries the moves from number `first` on, but for the way back; `move` is -1 when none is free. */
function tryMoves(
  maze: Maze,
  at: Place,
  first: number,
  last: number | undefined,
): { tried: string; move: number; place: Place; cell: string } {
  let tried = "";
  for (const [move, { name, step }] of MOVES.entries()) {
    if (move < first || (last !== undefined && move === (last + 2) % 4)) continue;
    const place = after(at, step);
    const cell = cellAt(maze, place);
    tried += cell === undefined ? ` ${name} -` : ` ${name} ${label(place)}${cell}`;
    if (cell !== undefined && cell !== "#") return { tried, move, place, cell };
  }
  return { tried, move: -1, place: at, cell: "#" };
}

/** Whether the answered moves, as letters or words, stay off the walls and end at the goal. */
function leadsToGoal(maze: Maze, text: string): boolean {
  const words =
    withoutLeadIn(text)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  const letters = words.flatMap((word) => (WORDS[word] ?? word).split(""));
  let at: Place = startOf(maze);
  for (const letter of letters) {
    const move = MOVES.find(({ name }) => name.toLowerCase() === letter);
    if (move === undefined) return false;
    at = after(at, move.step);
    if ((cellAt(maze, at) ?? "#") === "#") return false;
  }
  return cellAt(maze, at) === "G";
}
