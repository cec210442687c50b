import { z } from "zod";
import { knowTasks, readRecipeFile, RecipeError, taskChoice } from "../training/recipe.ts";
import { weightedTasks } from "../training/task-examples.ts";

const count = z.number().int().positive();
const share = z.number().min(0).max(1);

/** Everything that determines reinforcement learning on verifiable tasks, from a JSON file. */
const reinforcementFile = z
  .strictObject({
    seed: z.number().int(),
    iterations: count,
    ...taskChoice,
    /** Problems are drawn from `minDifficulty` to `maxDifficulty`. */
    minDifficulty: share.default(0),
    maxDifficulty: share,
    promptsPerIteration: count,
    groupSize: count.min(2),
    /** Times `promptsPerIteration` problems at most that are drawn to find groups that can teach. */
    mostDraws: count.default(10),
    updatesPerIteration: count.default(1),
    /** Bounds of the importance weight: 1 − low to 1 + high; for CISPO without `low` no lower one. */
    clipping: z
      .strictObject({
        algorithm: z.enum(["cispo", "grpo"]),
        low: z.number().positive().default(Infinity),
        high: z.number().positive(),
      })
      .refine(({ algorithm, low }) => algorithm === "cispo" || low < Infinity, {
        path: ["low"],
        message: "expected a bound for grpo, found none",
      })
      .default({ algorithm: "cispo", low: Infinity, high: 2 }),
    learningRate: z.number().positive(),
    weightDecay: z.number().min(0).default(0),
    maxBatchTokens: count.default(8192),
    maxNewTokens: count,
    thinkingBudget: count.optional(),
    /** Tokens at which an answer begins to cost, and at which it costs as much as a right one earns. */
    lengthPenalty: z.strictObject({ free: count, most: count }).optional(),
    /** Stops an answer after `window` tokens in a row above `probability` (paper section 4.1). */
    truncateRepetition: z.strictObject({ window: count, probability: share }).optional(),
    checkpointEvery: count.default(5),
    /** Held-out problems of each task, asked greedily before the first and after every n-th iteration. */
    evaluation: z
      .strictObject({
        every: count,
        problemsPerTask: count.default(4),
        /** Answers that are shown. */
        samples: z.number().int().min(0).default(2),
      })
      .optional(),
  })
  .superRefine((recipe, context) => {
    const problem = (name: string, message: string): void =>
      context.addIssue({ code: "custom", path: [name], message });
    const { minDifficulty, maxDifficulty } = recipe;
    if (minDifficulty > maxDifficulty) {
      problem(
        "minDifficulty",
        `expected at most maxDifficulty ${maxDifficulty}, found ${minDifficulty}`,
      );
    }
  });

export type ReinforcementRecipe = z.infer<typeof reinforcementFile>;

/** Reads and checks a recipe; throws RecipeError. */
export async function readReinforcementRecipe(path: string): Promise<ReinforcementRecipe> {
  const recipe = await readRecipeFile(path, reinforcementFile);
  await knowTasks(path, recipe);
  if (weightedTasks(recipe).length === 0) {
    throw new RecipeError(
      `${path}: taskWeights: expected a task with a weight above 0, found none`,
    );
  }
  return recipe;
}
