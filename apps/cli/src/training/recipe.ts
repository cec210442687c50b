import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { tasksNamed } from "@levin/tasks";
import { z } from "zod";
import { loadTask } from "../task-names.ts";

const share = z.number().min(0).max(1);
const count = z.number().int().positive();
const weight = z.number().positive().default(1);

/** Which of the verifiable tasks problems come from. */
export const taskChoice = {
  /** Modules that export a task of one's own as their default, relative to the recipe. */
  taskFiles: z.array(z.string()).default([]),
  /** How often a task comes. */
  taskWeights: z.record(z.string(), z.number().min(0)).default({}),
  /** How often one comes that is not named there. */
  otherTaskWeight: z.number().min(0).default(1),
};

/** Problems of the verifiable tasks, made on demand. */
const tasks = z.strictObject({
  weight,
  ...taskChoice,
  /** Problems are drawn from difficulty 0 to this. */
  maxDifficulty: share.default(1),
  /** Share of problems taught with an empty thought, so that a budget of 0 works. */
  directAnswerShare: share.default(0),
  /** Share of problems whose thought is cut anywhere and closed, so that any budget works. */
  cutThoughtShare: share.default(0),
  /** Share of problems with an earlier turn before them, and of those with one more, and so on. */
  historyShare: share.default(0),
});

const contextStage = z.strictObject({
  /** Steps done when the next stage begins; the last stage goes on to the end. */
  untilStep: count,
  /** Tokens of the longest example. */
  maxTokens: count,
  /** Peak of the schedule in this stage; default: the recipe's. */
  learningRate: z.number().positive().optional(),
  /** Base of the rotary embedding from this stage on. */
  ropeTheta: z.number().positive().optional(),
});

const evaluation = z.strictObject({
  /** Steps between two evaluations; one comes after the last step too. */
  every: count,
  /** Held-out problems of each task, answered greedily. */
  problemsPerTask: z.number().int().min(0).default(4),
  /** Tokens of an answer at most. */
  maxNewTokens: count.default(256),
  /** Answers that are shown, of each source. */
  samples: z.number().int().min(0).default(2),
  /** Evaluations without a lower held-out loss after which training ends; default: it never does. */
  patience: count.optional(),
});

/** Everything that determines a training run, from a JSON file. */
const recipeFile = z
  .strictObject({
    /** What a new model is made of; absent when a trained one is tuned further. */
    newModel: z
      .strictObject({
        /** A `config.json` without the parts that the tokenizer decides. */
        config: z.record(z.string(), z.unknown()),
        tokenizer: z.strictObject({ vocabSize: count, sampleProblems: count }),
      })
      .optional(),
    /** Trains low-rank changes of the attention's matrices (or of `targets`) instead of the model. */
    lora: z
      .strictObject({
        rank: count,
        alpha: z.number().positive(),
        targets: z.array(z.string()).min(1).optional(),
      })
      .optional(),
    seed: z.number().int(),
    steps: count,
    examplesPerStep: count,
    /** Padded tokens computed at once; no example is longer. */
    maxBatchTokens: count,
    /** What is learned, mixed by weights. */
    sources: z.strictObject({
      tasks: tasks.optional(),
      /** Small talk: questions and answers. */
      dialogues: z
        .strictObject({ weight, pairs: z.array(z.tuple([z.string(), z.string()])).min(1) })
        .optional(),
      /** JSONL files in OpenAI's chat form, relative to the recipe. */
      datasets: z
        .array(
          z.strictObject({ path: z.string(), weight, heldOutShare: share.lt(1).default(0.05) }),
        )
        .default([]),
    }),
    learningRate: z.number().positive(),
    warmupSteps: count,
    weightDecay: z.number().min(0),
    checkpointEvery: count,
    contextStages: z.array(contextStage).min(1).optional(),
    evaluation: evaluation.optional(),
  })
  .superRefine(({ sources, contextStages = [], maxBatchTokens, newModel, lora }, context) => {
    const problem = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    if (!sources.tasks && !sources.dialogues && sources.datasets.length === 0) {
      problem(["sources"], "expected at least one of tasks, dialogues and datasets, found none");
    }
    if (newModel && lora) problem(["lora"], "expected a trained model to adapt, found newModel");
    contextStages.forEach(({ untilStep, maxTokens }, i) => {
      const before = contextStages[i - 1];
      if (before && untilStep <= before.untilStep) {
        problem(["contextStages", i, "untilStep"], `expected more than ${before.untilStep}`);
      }
      if (maxTokens > maxBatchTokens) {
        problem(["contextStages", i, "maxTokens"], `expected at most ${maxBatchTokens} of a batch`);
      }
    });
  });

export type Recipe = z.infer<typeof recipeFile>;
export type TaskChoice = Pick<TaskRecipe, keyof typeof taskChoice>;
export type TaskRecipe = z.infer<typeof tasks>;
export type ContextStage = z.infer<typeof contextStage>;
export type EvaluationRecipe = z.infer<typeof evaluation>;

/** Raised when a recipe is not one. */
export class RecipeError extends Error {
  override readonly name = "RecipeError";
}

/** Reads and checks a recipe; the paths of datasets come out absolute. */
export async function readRecipe(path: string): Promise<Recipe> {
  const recipe = await readRecipeFile(path, recipeFile);
  const { tasks: choice, datasets } = recipe.sources;
  if (choice) await knowTasks(path, choice);
  for (const dataset of datasets) dataset.path = resolve(dirname(path), dataset.path);
  return recipe;
}

/**
 * Loads a recipe's own tasks, whose paths come out absolute.
 * @throws RecipeError when one can't be loaded, or a weight is for a task that does not exist
 */
export async function knowTasks(path: string, choice: TaskChoice): Promise<void> {
  choice.taskFiles = choice.taskFiles.map((file) => resolve(dirname(path), file));
  try {
    for (const file of choice.taskFiles) await loadTask(file);
    tasksNamed(Object.keys(choice.taskWeights));
  } catch (error) {
    throw new RecipeError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Reads a JSON file that a schema describes; throws RecipeError. */
export async function readRecipeFile<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new RecipeError(`${path}: ${(error as Error).message}`, { cause: error });
  }
  const result = schema.safeParse(json);
  if (!result.success) throw new RecipeError(`${path}: ${z.prettifyError(result.error)}`);
  return result.data;
}
