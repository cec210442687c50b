import { readFile } from "node:fs/promises";
import { allTasks } from "@levin/tasks";
import { z } from "zod";

const share = z.number().min(0).max(1);
const count = z.number().int().positive();

/** Everything that determines a training run, from a JSON file. */
const recipeFile = z.strictObject({
  /** What a new model is made of; absent when a trained one is tuned further. */
  newModel: z
    .strictObject({
      /** A `config.json` without the parts that the tokenizer decides. */
      config: z.record(z.string(), z.unknown()),
      tokenizer: z.strictObject({ vocabSize: count, sampleProblems: count }),
    })
    .optional(),
  seed: z.number().int(),
  steps: count,
  examplesPerStep: count,
  maxBatchTokens: count,
  /** How often a task comes, 1 where it is not named. */
  taskWeights: z
    .partialRecord(z.enum(allTasks.map(({ name }) => name)), z.number().min(0))
    .default({}),
  /** Problems are drawn from difficulty 0 to this. */
  maxDifficulty: share,
  /** Share of problems taught with an empty thought, so that a budget of 0 works. */
  directAnswerShare: share,
  /** Share of problems whose thought is cut anywhere and closed, so that any budget works. */
  cutThoughtShare: share.default(0),
  /** Share of problems that come second in a conversation. */
  historyShare: share.default(0),
  /** Share of small talk. */
  dialogueShare: share,
  learningRate: z.number().positive(),
  warmupSteps: count,
  weightDecay: z.number().min(0),
  checkpointEvery: count,
  dialogues: z.array(z.tuple([z.string(), z.string()])),
});

export type Recipe = z.infer<typeof recipeFile>;

/** Raised when a recipe is not one. */
export class RecipeError extends Error {
  override readonly name = "RecipeError";
}

/** Reads and checks a recipe. */
export async function readRecipe(path: string): Promise<Recipe> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new RecipeError(`${path}: ${(error as Error).message}`, { cause: error });
  }
  const result = recipeFile.safeParse(json);
  if (!result.success) throw new RecipeError(`${path}: ${z.prettifyError(result.error)}`);
  return result.data;
}
