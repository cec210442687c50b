import { describe, expect, it } from "vitest";
import {
  allTasks,
  evaluateTask,
  evaluationProblems,
  isHeldOut,
  recall,
  sorting,
  tasksNamed,
  UnknownTaskError,
  wilsonInterval,
} from "./index.ts";

/** Answers recall problems from the prompt alone. */
function lookUp(prompt: string): string {
  const end = Math.max(prompt.lastIndexOf(". ") + 1, 0);
  const name = /(\w+)[.?]$/.exec(prompt.replace(/ (have|live)\?$/, "?"))?.[1] ?? "";
  const facts = prompt.slice(0, end).split(". ");
  return /\d+/.exec(facts.find((fact) => fact.split(" ").includes(name)) ?? "")?.[0] ?? "";
}

describe("evaluateTask", () => {
  it("gives full marks to an answerer that reads the prompt", async () => {
    const result = await evaluateTask(recall, async (prompt) => lookUp(prompt), {
      count: 50,
      seed: 1,
    });
    expect(result).toMatchObject({ task: "recall", count: 50, correct: 50, accuracy: 1 });
    expect(result.upper).toBeCloseTo(1, 9);
    expect(result.lower).toBeCloseTo(0.929, 3);
  });

  it("keeps the misses with their replies", async () => {
    const result = await evaluateTask(recall, async () => "I do not know", { count: 3, seed: 1 });
    expect(result.correct).toBe(0);
    expect(result.misses.map(({ reply }) => reply)).toEqual(Array(3).fill("I do not know"));
  });
});

describe("evaluationProblems", () => {
  it("are those that are asked, held out, the same for the same seed", async () => {
    const options = { count: 5, seed: 1, maxDifficulty: 0.5 };
    const prompts = evaluationProblems(sorting, options).map(({ prompt }) => prompt);
    const asked: string[] = [];
    await evaluateTask(sorting, async (prompt) => (asked.push(prompt), ""), options);
    expect(asked).toEqual(prompts);
    expect(evaluationProblems(sorting, options).every(isHeldOut)).toBe(true);
    const others = evaluationProblems(sorting, { ...options, seed: 2 });
    expect(others.map(({ prompt }) => prompt)).not.toEqual(prompts);
  });
});

describe("tasksNamed", () => {
  it("finds every task by its name, and says which there are when it does not know one", () => {
    const names = allTasks.map(({ name }) => name).toReversed();
    expect(tasksNamed(names)).toEqual(allTasks.toReversed());
    expect(() => tasksNamed(["sorting", "juggling"])).toThrow(UnknownTaskError);
    expect(() => tasksNamed(["juggling"])).toThrow(
      /tasks: expected some of addition, .*state-machine, .*found "juggling"/,
    );
  });
});

describe("wilsonInterval", () => {
  it("agrees with published values", () => {
    // Newcombe 1998, table I, method 3: 81 of 263, and 15 of 148.
    const { lower, upper } = wilsonInterval(81, 263);
    expect([lower.toFixed(4), upper.toFixed(4)]).toEqual(["0.2553", "0.3662"]);
    const other = wilsonInterval(15, 148);
    expect([other.lower.toFixed(4), other.upper.toFixed(4)]).toEqual(["0.0624", "0.1605"]);
  });

  it("knows nothing before anything was asked", () => {
    expect(wilsonInterval(0, 0)).toEqual({ accuracy: 0, lower: 0, upper: 1 });
  });
});
