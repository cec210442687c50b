import type { BenchmarkTask, Item, Pooling, Split, Suite } from "@levin/evaluation";
import type { SpreadFlags } from "../spread/open-crew.ts";

/** How answers are found. */
export const methods = ["likelihood", "generation", "head"] as const;

/** Items that are answered at once: company may change the last digits of what is computed. */
export const together = { likelihood: 1, generation: 8, head: 16 } as const;

/** How a suite is to be measured: the flags of `levin eval glue`. */
export interface SuiteSettings extends SpreadFlags {
  data: string;
  /** A model directory; spark without. */
  model?: string;
  backend: string;
  output: string;
  /** Names parted by commas; all tasks without. */
  tasks?: string;
  split: Exclude<Split, "train">;
  method: (typeof methods)[number];
  /** Examples with their answers before each item; not for a head. */
  shots: number;
  /** Of the shots, and of the order in which a head learns. */
  seed: number;
  /** Items of a task at most. */
  limit?: number;
  /** Of generation. */
  maxTokens: number;
  thinkingBudget?: number;
  /** Of a head. */
  pooling: Pooling;
  epochs: number;
  /** Instead of epochs. */
  steps?: number;
  batchSize: number;
  learningRate: number;
  /** Rank of an adapter that is trained in place of the whole model. */
  lora?: number;
  maxLength: number;
  /** Steps between checkpoints. */
  checkpointEvery: number;
}

/** Raised for settings that don't fit together. */
export class SuiteSettingsError extends Error {
  override readonly name = "SuiteSettingsError";
}

/** The tasks that `--tasks` names. Throws SuiteSettingsError for names that the suite has not. */
export function chosenTasks(suite: Suite, names: string | undefined): readonly BenchmarkTask[] {
  if (names === undefined) return suite.tasks;
  const tasks = names.split(",").map((name) => {
    const task = suite.tasks.find((each) => each.name === name.trim());
    if (task) return task;
    const all = suite.tasks.map((each) => each.name).join(", ");
    throw new SuiteSettingsError(`--tasks: expected names among ${all}, found "${name.trim()}"`);
  });
  return [...new Set(tasks)];
}

/** The first items, at most `limit`; what is judged together is not parted, so that at least one group stays. */
export function firstItems(items: readonly Item[], limit = items.length): Item[] {
  const groupAt = (place: number): string | undefined => items[place]?.group;
  const isParted = (end: number): boolean =>
    groupAt(end) !== undefined && groupAt(end - 1) === groupAt(end);
  let end = limit;
  while (end > 0 && isParted(end)) end -= 1;
  if (end === 0) for (end = limit; isParted(end);) end += 1;
  return items.slice(0, end);
}

/** Those of the settings that decide the predictions of a task. */
export function decisive(settings: SuiteSettings): Record<string, unknown> {
  const { method, seed, shots, maxTokens, thinkingBudget } = settings;
  if (method === "likelihood") return { method, shots, seed };
  if (method === "generation") return { method, shots, seed, maxTokens, thinkingBudget };
  return { method, ...decisiveOfHead(settings) };
}

/** Those that decide what a head learns. */
export function decisiveOfHead(settings: SuiteSettings): Record<string, unknown> {
  const { seed, pooling, batchSize, learningRate, lora, maxLength, steps, epochs } = settings;
  const length = steps === undefined ? { epochs } : { steps };
  return { seed, pooling, batchSize, learningRate, lora, maxLength, ...length };
}
