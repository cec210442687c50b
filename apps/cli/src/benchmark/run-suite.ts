import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  DataError,
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
  firstItems,
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
      const result = await run.unlessMissing(() => run.measure(task, items));
      if (events.signal.aborted) return undefined;
      if (result) results.push(result);
    }
    run.expectSome();
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
  /** Tasks without data. */
  #leftOut = 0;

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
    return new SuiteRun(
      { suite, settings, events },
      modelHash,
      await openCrew(settings, modelHash),
    );
  }

  close(): Promise<void> {
    return this.#crew.close();
  }

  /** Items of each task that has some. */
  async readTasks(): Promise<[BenchmarkTask, Item[]][]> {
    const { tasks, data, split, limit } = this.#settings;
    const found: [BenchmarkTask, Item[]][] = [];
    for (const task of chosenTasks(this.#suite, tasks)) {
      const items = await this.unlessMissing(() => readItems(data, this.#suite, task, split));
      if (items) found.push([task, firstItems(items, limit)]);
    }
    return found;
  }

  /** Without `--tasks`, those whose data is missing are left out with a notice. */
  async unlessMissing<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await read();
    } catch (error) {
      if (this.#settings.tasks !== undefined || !(error instanceof MissingDataError)) throw error;
      this.#events.onNotice(`left out: ${error.message}`);
      this.#leftOut += 1;
      return undefined;
    }
  }

  /** Throws MissingDataError when every task was left out. */
  expectSome(): void {
    const { tasks, title } = this.#suite;
    if (this.#leftOut < tasks.length) return;
    const { data } = this.#settings;
    throw new MissingDataError(
      `--data: expected files of a task of ${title} in ${data}, found none`,
    );
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
    const result = {
      task: task.name,
      ...scoreTask(task, items, predictions),
      ...(await this.#majority(task, items)),
    };
    this.#events.onResult(task, result);
    return result;
  }

  /** What answering all alike scores; nothing without a training set, with a word when one is broken. */
  async #majority(
    task: BenchmarkTask,
    items: readonly Item[],
  ): Promise<Pick<TaskResult, "majority">> {
    try {
      return { majority: majorityScore(task, await this.#trainingOf(task), items) };
    } catch (error) {
      if (!(error instanceof DataError || error instanceof MissingDataError)) throw error;
      if (error instanceof DataError) {
        this.#events.onNotice(`${task.title}, all answered alike: ${error.message}`);
      }
      return {};
    }
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
    if (shots > training.length) {
      throw new SuiteSettingsError(
        `--shots: expected at most ${training.length}, the training examples of ${task.title}, found ${shots}`,
      );
    }
    return createRandom(seed).sample(training, shots);
  }
}

function contentHash(items: readonly Item[]): string {
  return createHash("sha256").update(JSON.stringify(items)).digest("hex").slice(0, 16);
}
