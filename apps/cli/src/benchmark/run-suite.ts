import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  generationAnswerer,
  LikelihoodAnswerer,
  majorityScore,
  MissingDataError,
  reportMarkdown,
  scoreTask,
  suiteReport,
  type Answerer,
  type BenchmarkTask,
  type Item,
  type Suite,
  type SuiteReport,
  type TaskResult,
} from "@levin/evaluation";
import { answerItems, openPredictionLog, readItems } from "@levin/evaluation/node";
import { generateBatch } from "@levin/model";
import { createRandom } from "@levin/tasks";
import { encodeChat } from "@levin/tokenizer";
import { loadBundle, loadText, modelDirectory, type ModelBundle } from "../load-bundle.ts";
import { hashOf, modelFiles } from "../training/fingerprints.ts";
import { expectWritable, writeFileWhole } from "../training/write-whole.ts";
import { learnedHead } from "./learned-head.ts";
import { chosenTasks, decisive, decisiveOfHead, type SuiteSettings } from "./suite-settings.ts";

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
  for (const [task, items] of await run.readTasks()) {
    const result = await run.measure(task, items);
    if (events.signal.aborted) return undefined;
    if (result) results.push(result);
  }
  if (settings.split === "test") return undefined;
  const report = suiteReport(suite, {
    method: settings.method,
    model: settings.model ?? "spark",
    settings: { ...decisive(settings), limit: settings.limit },
    results,
  });
  await writeFileWhole(
    join(settings.output, "report.json"),
    `${JSON.stringify(report, null, 2)}\n`,
  );
  await writeFileWhole(join(settings.output, "report.md"), reportMarkdown(suite, report));
  return report;
}

class SuiteRun {
  readonly #suite: Suite;
  readonly #settings: SuiteSettings;
  readonly #events: SuiteEvents;
  readonly #modelHash: string;
  #bundle: ModelBundle | undefined;

  private constructor(
    suite: Suite,
    settings: SuiteSettings,
    events: SuiteEvents,
    modelHash: string,
  ) {
    this.#suite = suite;
    this.#settings = settings;
    this.#events = events;
    this.#modelHash = modelHash;
  }

  static async open(suite: Suite, settings: SuiteSettings, events: SuiteEvents): Promise<SuiteRun> {
    const files = await modelFiles(modelDirectory(settings.model));
    return new SuiteRun(suite, settings, events, await hashOf(files));
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
    const { output, split } = this.#settings;
    const log = await openPredictionLog(
      join(output, "predictions", `${task.name}.${split}.jsonl`),
      { ...decisive(this.#settings), model: this.#modelHash, items: contentHash(items) },
    );
    const isDone = items.every(({ id }) => log.done.has(id));
    const answerer = isDone ? finished : await this.#answererOf(task);
    try {
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
      const training = await this.#training(task).catch(() => undefined);
      const result = {
        task: task.name,
        ...scoreTask(task, items, predictions),
        ...(training && { majority: majorityScore(task, training, items) }),
      };
      this.#events.onResult(task, result);
      return result;
    } finally {
      answerer.dispose();
    }
  }

  async #answererOf(task: BenchmarkTask): Promise<Answerer> {
    const settings = this.#settings;
    if (settings.method === "head") return this.#head(task);
    this.#bundle ??= await loadBundle(settings);
    const { model, tokenizer, chatTemplate: template } = this.#bundle;
    const examples = settings.shots > 0 ? await this.#shots(task) : [];
    if (settings.method === "likelihood") {
      const encode = (text: string): number[] => tokenizer.encode(text, plainText);
      return new LikelihoodAnswerer(model, encode, task, { examples });
    }
    const { maxTokens, thinkingBudget } = settings;
    const ask = async (prompts: readonly string[]): Promise<string[]> => {
      const encoded = prompts.map((content) =>
        encodeChat(tokenizer, [{ role: "user", content }], { template }),
      );
      const results = await generateBatch(model, tokenizer, encoded, {
        ...{ maxNewTokens: maxTokens, temperature: 0 },
        ...(thinkingBudget !== undefined && { thinkingBudget }),
      });
      return results.map(({ text }) => text);
    };
    return generationAnswerer(task, ask, { examples });
  }

  async #head(task: BenchmarkTask): Promise<Answerer> {
    const directory = modelDirectory(this.#settings.model);
    const { tokenizer } = await loadText(directory);
    const name = task.learnsFrom ?? task.name;
    const training = await this.#training(task);
    return learnedHead({
      ...{ task, directory, training, settings: this.#settings },
      folder: join(this.#settings.output, "heads", name),
      encode: (text) => tokenizer.encode(text, plainText),
      decisive: {
        ...decisiveOfHead(this.#settings),
        ...{ model: this.#modelHash, items: contentHash(training) },
      },
      onStep: (step, steps, loss) => this.#events.onStep(task, step, steps, loss),
    });
  }

  /** Training items with a right answer, of the task itself or of the one that it learns from. */
  async #training(task: BenchmarkTask): Promise<Item[]> {
    const source = this.#suite.tasks.find(({ name }) => name === (task.learnsFrom ?? task.name))!;
    const items = await readItems(this.#settings.data, this.#suite, source, "train");
    return items.filter(({ label }) => label !== undefined && label >= 0);
  }

  async #shots(task: BenchmarkTask): Promise<Item[]> {
    const training = await this.#training(task);
    const count = Math.min(this.#settings.shots, training.length);
    return createRandom(this.#settings.seed).sample(training, count);
  }
}

/** Texts of a benchmark contain no marks of a chat. */
const plainText = { parseSpecialTokens: false };

const finished: Answerer = { together: 1, answer: async () => [], dispose: () => undefined };

function contentHash(items: readonly Item[]): string {
  return createHash("sha256").update(JSON.stringify(items)).digest("hex").slice(0, 16);
}
