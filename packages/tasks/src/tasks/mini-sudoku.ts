import { withoutLeadIn } from "../named-answer.ts";
import type { Random } from "../random.ts";
import { scaled, type Task } from "../task.ts";

/** Sixteen digits in reading order; 0 is a blank. */
type Grid = readonly number[];

const PHRASINGS: readonly ((rows: string) => string)[] = [
  (rows) => `Solve this 4x4 sudoku, 0 is a blank: ${rows}`,
  (rows) => `Fill the zeros of this 4x4 sudoku with 1 to 4: ${rows}`,
  (rows) =>
    `Replace every 0 so that each row, column and 2x2 box has 1, 2, 3 and 4. The rows are ${rows}`,
];

const DIGITS = [1, 2, 3, 4] as const;
/** Lines beyond one for each blank: each wrong guess costs two or more. */
const MOST_EXTRA_LINES = 6;

/** Sudokus of four by four with three to ten blanks; any solution counts. */
export const miniSudoku: Task = {
  name: "mini-sudoku",
  description: "Fill the blanks of a four by four sudoku; any solution counts.",
  generate(random, difficulty) {
    const blanks = scaled(difficulty, 3, 10);
    const erased = random.sample([...Array(16).keys()], blanks);
    const full = completed(random, Array<number>(16).fill(0)) ?? [];
    const givens = full.map((digit, cell) => (erased.includes(cell) ? 0 : digit));
    const { lines, solution } = fillIn(givens);
    if (lines.length > blanks + 1 + MOST_EXTRA_LINES)
      return miniSudoku.generate(random, difficulty);
    return {
      task: "mini-sudoku",
      key: written(givens),
      prompt: random.pick(PHRASINGS)(written(givens)),
      thinking: lines.join("\n"),
      answer: written(solution),
      verify: (text) => solves(givens, (withoutLeadIn(text).match(/\d/g) ?? []).map(Number)),
    };
  },
};

/** "1234 3412 2143 4321". */
function written(grid: Grid): string {
  return grid.join("").replace(/.{4}(?=.)/g, "$& ");
}

/** The cells of a cell's row, column and box. */
function unitsOf(cell: number): number[][] {
  const [row, column] = [Math.floor(cell / 4), cell % 4];
  const corner = (row - (row % 2)) * 4 + column - (column % 2);
  return [
    DIGITS.map((i) => row * 4 + i - 1),
    DIGITS.map((i) => column + (i - 1) * 4),
    [corner, corner + 1, corner + 4, corner + 5],
  ];
}

function candidatesFor(grid: Grid, cell: number): number[] {
  const taken = new Set(unitsOf(cell).flatMap((unit) => unit.map((each) => grid[each])));
  return DIGITS.filter((digit) => !taken.has(digit));
}

/** A random way to fill all blanks; undefined when there is none. */
function completed(random: Random, grid: Grid): Grid | undefined {
  const cell = grid.indexOf(0);
  if (cell < 0) return grid;
  const candidates = candidatesFor(grid, cell);
  for (const digit of random.sample(candidates, candidates.length)) {
    const found = completed(random, grid.with(cell, digit));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Fills the first blank with its first candidate, again and again, and goes back to the last guess
 * when a blank has none. Each line shows the grid, the blank's row and column number, its row,
 * column and box, and the candidates:
 *
 *     1204 3412 2143 4321 13 1204 0143 0412: 3
 */
function fillIn(givens: Grid): { lines: string[]; solution: Grid } {
  const lines: string[] = [];
  const guesses: { grid: Grid; cell: number; rest: number[] }[] = [];
  let grid = givens;
  for (let cell = grid.indexOf(0); cell >= 0; cell = grid.indexOf(0)) {
    const units = unitsOf(cell).map((unit) => unit.map((each) => grid[each]).join(""));
    let candidates = candidatesFor(grid, cell);
    lines.push(
      `${written(grid)} ${label(cell)} ${units.join(" ")}: ${candidates.join("") || "none"}`,
    );
    const guess = candidates.length === 0 ? guesses.pop() : undefined;
    if (guess !== undefined) {
      ({ grid, cell, rest: candidates } = guess);
      lines.push(`back ${written(grid)} ${label(cell)}: ${candidates.join("")}`);
    }
    const [first = 0, ...rest] = candidates;
    if (rest.length > 0) guesses.push({ grid, cell, rest });
    grid = grid.with(cell, first);
  }
  return { lines: [...lines, written(grid)], solution: grid };
}

function label(cell: number): string {
  return `${Math.floor(cell / 4) + 1}${(cell % 4) + 1}`;
}

/** Whether the digits keep the givens and every row, column and box has each of 1 to 4. */
function solves(givens: Grid, found: Grid): boolean {
  if (found.length !== 16 || givens.some((digit, cell) => digit !== 0 && digit !== found[cell])) {
    return false;
  }
  return found.every((_, cell) =>
    unitsOf(cell).every((unit) => DIGITS.every((digit) => unit.some((at) => found[at] === digit))),
  );
}
