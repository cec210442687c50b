import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom, generateProblem, TaskError, UnknownTaskError } from "@levin/tasks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTasks } from "./task-names.ts";
import { tinyRecipe } from "./testing/tiny-recipe.ts";
import { readRecipe, RecipeError } from "./training/recipe.ts";
import { weightedTasks } from "./training/task-examples.ts";

const doubling = `export default {
  name: "doubling",
  description: "Double a number.",
  generate(random, difficulty) {
    const number = random.integer(1, 10 + Math.round(990 * difficulty));
    return {
      task: "doubling",
      key: String(number),
      prompt: "Double " + number + ".",
      thinking: number + "+" + number + "=" + 2 * number,
      answer: String(2 * number),
      verify: (text) => text.trim() === String(2 * number),
    };
  },
};`;

describe("a task of one's own", () => {
  let folder: string;
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "levin-tasks-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("is named by its file, beside tasks of the package", async () => {
    const file = await write("doubling.mjs", doubling);
    const tasks = await readTasks(`addition, ${file}`);
    expect(tasks.map(({ name }) => name)).toEqual(["addition", "doubling"]);
    const problem = generateProblem(tasks[1]!, createRandom(1), { difficulty: 0.5 });
    expect(problem.verify(problem.answer)).toBe(true);
    // From then on it has a name like every other one.
    expect(await readTasks("doubling")).toEqual([tasks[1]]);
    expect(await readTasks(undefined)).toContain(tasks[1]);
  });

  it("comes with a recipe that names its file", async () => {
    await write("doubling.mjs", doubling);
    const { sources, ...rest } = tinyRecipe;
    const recipe = (taskFiles: string[], taskWeights: object): Promise<string> =>
      write(
        "recipe.json",
        JSON.stringify({
          ...rest,
          sources: { ...sources, tasks: { ...sources.tasks, taskFiles, taskWeights } },
        }),
      );
    const { tasks } = (await readRecipe(await recipe(["doubling.mjs"], { doubling: 2 }))).sources;
    expect(tasks!.taskFiles).toEqual([join(folder, "doubling.mjs")]);
    expect(weightedTasks({ ...tasks!, otherTaskWeight: 0 })).toMatchObject([
      { task: { name: "doubling" }, weight: 2 },
    ]);
    const wrong = await recipe(["doubling.mjs"], { tripling: 1 });
    await expect(readRecipe(wrong)).rejects.toThrow(RecipeError);
    await expect(readRecipe(wrong)).rejects.toThrow(/expected some of .*, found "tripling"/);
    await expect(readRecipe(await recipe(["none.mjs"], {}))).rejects.toThrow(/none\.mjs/);
  });

  it("is refused with a word when it is none, or takes a name", async () => {
    const none = await write("none.mjs", "export const task = 1;");
    await expect(readTasks(none)).rejects.toThrow(TaskError);
    await expect(readTasks(none)).rejects.toThrow(/none\.mjs: .*name, description and generate/);
    const taken = await write("taken.mjs", doubling.replaceAll("doubling", "addition"));
    await expect(readTasks(taken)).rejects.toThrow(/of its own, found "addition" again/);
    await expect(readTasks("juggling")).rejects.toThrow(UnknownTaskError);
  });
});
