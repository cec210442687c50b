import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  majorityScore,
  MissingDataError,
  reportMarkdown,
  scoreTask,
  suiteReport,
  type BenchmarkTask,
  type Item,
  type SubmittedPrediction,
  type Suite,
  type SuiteReport,
  type TaskResult,
} from "@levin/evaluation";
import { answerItems, openPredictionLog, readItems } from "@levin/evaluation/node";
import { createRandom } from "@levin/tasks";
import { loadText, modelDirectory } from "../load-bundle.ts";
import type { Crew } from "../spread/crew.ts";
import { openCrew } from "../spread/open-crew.ts";
import { plainText } from "../spread/perform-piece.ts";
import type { AnswerPiece, Method } from "../spread/piece.ts";
import { hashOfModel } from "../training/fingerprints.ts";
import { expectWritable, writeFileWhole } from "../training/write-whole.ts";
import { learnHead } from "./learned-head.ts";
import {
  chosenTasks,
  decisive,
  decisiveOfHead,
  SuiteSettingsError,
  together,
  type SuiteSettings,
} from "./suite-settings.ts";
import { writeReport } from "./write-report.ts";

/** What a run tells on its way. */
export interface SuiteEvents {
  onAnswered(task: BenchmarkTask, done: number, all: number): void;
  onStep(task: BenchmarkTask, step: number, steps: number, loss: number): void;
  onResult(task: BenchmarkTask, result: TaskResult): void;
  onNotice(text: string): void;
  signal: AbortSignal;
}

/**
 * Measures a model on GLUE or SuperGLUE, or goes on where an earlier run with the same output folder
 * stopped. Leaves `predictions/`, with a head `heads/`, for test sets `submission/`, else
 * `report.json` and `report.md`.
 *
 * @returns the report; undefined after an abort, or when only predictions were asked for
 * @throws DataError, MissingDataError, SuiteSettingsError, PredictionLogError, DivergedError
 */
export async function runSuite(
  suite: Suite,
  settings: SuiteSettings,
  events: SuiteEvents,
): Promise<SuiteReport | undefined> {
  const run = await SuiteRun.open(suite, settings, events);
  const results: TaskResult[] = [];
  try {
    for (const [task, items] of await run.readTasks()) {
      const result = await run.measure(task, items);
      if (events.signal.aborted) return undefined;
      if (result) results.push(result);
    }
  } finally {
    await run.close();
  }
  if (settings.split === "test") return undefined;
  const report = suiteReport(suite, {
    method: settings.method,
    model: settings.model ?? "spark",
    settings: { ...decisive(settings), limit: settings.limit },
    results,
  });
  await writeReport(settings.output, report, reportMarkdown(suite, report));
  return report;
}

class SuiteRun {
  readonly #suite: Suite;
  readonly #settings: SuiteSettings;
  readonly #events: SuiteEvents;
  readonly #modelHash: string;
  readonly #crew: Crew;
  /** What was read latest: a task's head, shots and majority learn from the same items. */
  #training: { task: BenchmarkTask; items: Promise<Item[]> } | undefined;

  private constructor(
    parts: { suite: Suite; settings: SuiteSettings; events: SuiteEvents },
    modelHash: string,
    crew: Crew,
  ) {
    this.#suite = parts.suite;
    this.#settings = parts.settings;
    this.#events = parts.events;
    this.#modelHash = modelHash;
    this.#crew = crew;
  }

  static async open(suite: Suite, settings: SuiteSettings, events: SuiteEvents): Promise<SuiteRun> {
    if (settings.method === "head" && settings.redis !== undefined) {
      throw new SuiteSettingsError(
        "--redis: expected --method likelihood or generation, found head: it is only on the machine where it learned",
      );
    }
    const modelHash = await hashOfModel(modelDirectory(settings.model));
    return new SuiteRun({ suite, settings, events }, modelHash, await openCrew(settings));
  }

  close(): Promise<void> {
    return this.#crew.close();
  }

  /** Items of each task. Without `--tasks`, those without data are left out with a notice. */
  async readTasks(): Promise<[BenchmarkTask, Item[]][]> {
    const { tasks, data, split, limit } = this.#settings;
    const found: [BenchmarkTask, Item[]][] = [];
    let missing: unknown;
    for (const task of chosenTasks(this.#suite, tasks)) {
      try {
        const items = await readItems(data, this.#suite, task, split);
        found.push([task, items.slice(0, limit)]);
      } catch (error) {
        if (tasks !== undefined || !(error instanceof MissingDataError)) throw error;
        missing = error;
        this.#events.onNotice(`left out: ${error.message}`);
      }
    }
    if (found.length === 0) throw missing;
    return found;
  }

  /** A task's result; undefined for a test set, whose predictions are written for the leaderboard. */
  async measure(task: BenchmarkTask, items: Item[]): Promise<TaskResult | undefined> {
    const { output, split, method } = this.#settings;
    const log = await openPredictionLog(
      join(output, "predictions", `${task.name}.${split}.jsonl`),
      { ...decisive(this.#settings), model: this.#modelHash, items: contentHash(items) },
    );
    const answerer = {
      together: together[method],
      answerAll: (batches: readonly (readonly Item[])[]) => this.#answers(task, batches),
    };
    const predictions = await answerItems(items, answerer, log, {
      onProgress: (done) => this.#events.onAnswered(task, done, items.length),
      signal: this.#events.signal,
    });
    if (!predictions) return undefined;
    if (split === "test") {
      const path = join(output, "submission", `${task.title}.${this.#suite.submissionExtension}`);
      await expectWritable(path, () => mkdir(join(output, "submission"), { recursive: true }));
      await writeFileWhole(path, this.#suite.submission(task, predictions));
      return undefined;
    }
    const training = await this.#trainingOf(task).catch(() => undefined);
    const result = {
      task: task.name,
      ...scoreTask(task, items, predictions),
      ...(training && { majority: majorityScore(task, training, items) }),
    };
    this.#events.onResult(task, result);
    return result;
  }

  /** Predictions of the crew, piece by piece. */
  async *#answers(
    task: BenchmarkTask,
    batches: readonly (readonly Item[])[],
  ): AsyncGenerator<SubmittedPrediction[], void> {
    const { signal } = this.#events;
    const by = await this.#methodFor(task);
    if (!by) return;
    const { batchesAtOnce: size } = this.#crew;
    const count = Math.ceil(batches.length / size);
    const pieces = Array.from({ length: count }, (_, i): AnswerPiece => ({
      ...{ work: "answer", suite: this.#suite.name, task: task.name, by },
      batches: batches.slice(i * size, (i + 1) * size),
    }));
    for await (const { result } of this.#crew.perform(pieces, signal)) yield result;
  }

  /** How a task is answered; nothing when its head was stopped while it learned. */
  async #methodFor(task: BenchmarkTask): Promise<Method | undefined> {
    const { method, maxTokens, thinkingBudget } = this.#settings;
    if (method === "head") return this.#head(task);
    const examples = await this.#shots(task);
    if (method === "likelihood") return { method, examples };
    return { method, examples, maxTokens, thinkingBudget };
  }

  async #head(task: BenchmarkTask): Promise<Method | undefined> {
    const { model, output, pooling, maxLength } = this.#settings;
    const folder = resolve(output, "heads", task.learnsFrom ?? task.name);
    const directory = modelDirectory(model);
    const { tokenizer } = await loadText(directory);
    const training = await this.#trainingOf(task);
    const hasLearned = await learnHead({
      ...{ task, directory, folder, training, settings: this.#settings },
      encode: (text) => tokenizer.encode(text, plainText),
      decisive: {
        ...decisiveOfHead(this.#settings),
        ...{ model: this.#modelHash, items: contentHash(training) },
      },
      onStep: (step, steps, loss) => this.#events.onStep(task, step, steps, loss),
      signal: this.#events.signal,
    });
    return hasLearned ? { method: "head", folder, pooling, maxLength } : undefined;
  }

  /** Training items with a right answer, of the task itself or of the one that it learns from. */
  #trainingOf(task: BenchmarkTask): Promise<Item[]> {
    const source = this.#suite.tasks.find(({ name }) => name === (task.learnsFrom ?? task.name))!;
    if (this.#training?.task !== source) {
      const read = readItems(this.#settings.data, this.#suite, source, "train");
      const items = read.then((all) => all.filter(({ label = -1 }) => label >= 0));
      this.#training = { task: source, items };
    }
    return this.#training.items;
  }

  async #shots(task: BenchmarkTask): Promise<Item[]> {
    const { shots, seed } = this.#settings;
    if (shots === 0) return [];
    const training = await this.#trainingOf(task);
    return createRandom(seed).sample(training, Math.min(shots, training.length));
  }
}

function contentHash(items: readonly Item[]): string {
  return createHash("sha256").update(JSON.stringify(items)).digest("hex").slice(0, 16);
}
