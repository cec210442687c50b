import { describe, expect, it } from "vitest";
import {
  addition,
  allTasks,
  createRandom,
  DifficultyError,
  generateProblem,
  isHeldOut,
  sampleProblem,
  SplitError,
  type Task,
} from "./index.ts";

describe("the split", () => {
  it("holds out about one problem in twenty", () => {
    const random = createRandom(1);
    const keys = Array.from({ length: 20_000 }, () => addition.generate(random, 1));
    const share = keys.filter(isHeldOut).length / keys.length;
    expect(share).toBeGreaterThan(0.04);
    expect(share).toBeLessThan(0.06);
  });

  it("stays as it was when spark was trained", () => {
    const heldOut = Array.from({ length: 100 }, (_, i) => i).filter((i) =>
      isHeldOut({ task: "addition", key: `${i}+${i}` }),
    );
    expect(heldOut).toMatchInlineSnapshot(`
      [
        3,
        26,
        44,
        76,
        87,
        98,
      ]
    `);
  });

  it("says so when a task has no problem on the wanted side", () => {
    const single: Task = {
      name: "single",
      description: "Always the same question.",
      generate: () => ({
        task: "single",
        key: "one",
        prompt: "What is 1?",
        thinking: "1",
        answer: "1",
        verify: (text) => text === "1",
      }),
    };
    const random = createRandom(1);
    const missing = isHeldOut({ task: "single", key: "one" }) ? "train" : "held-out";
    expect(() => generateProblem(single, random, { split: missing })).toThrow(SplitError);
  });
});

describe("generateProblem", () => {
  it("draws difficulties up to the highest that is asked for", () => {
    const drawn: number[] = [];
    const spy: Task = {
      ...addition,
      generate(random, difficulty) {
        drawn.push(difficulty);
        return addition.generate(random, difficulty);
      },
    };
    const random = createRandom(3);
    for (let i = 0; i < 200; i++) generateProblem(spy, random, { maxDifficulty: 0.4 });
    expect(Math.max(...drawn)).toBeLessThanOrEqual(0.4);
    expect(Math.max(...drawn)).toBeGreaterThan(0.35);
  });
});

describe("sampleProblem", () => {
  it("draws every task", () => {
    const random = createRandom(2);
    const names = Array.from({ length: 200 }, () => sampleProblem(allTasks, random).task);
    expect(new Set(names)).toEqual(new Set(allTasks.map((task) => task.name)));
  });

  it.each([-0.1, 1.1, Number.NaN])("refuses difficulty %d", (difficulty) => {
    const draw = () => sampleProblem(allTasks, createRandom(1), { difficulty });
    expect(draw).toThrow(DifficultyError);
    expect(draw).toThrow(`expected a difficulty from 0 to 1, found ${difficulty}`);
    const most = () => sampleProblem(allTasks, createRandom(1), { maxDifficulty: difficulty });
    expect(most).toThrow(DifficultyError);
  });
});
