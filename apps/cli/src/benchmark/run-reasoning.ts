import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve, sep } from "node:path";
import {
  mathReasoningProblems,
  parseMathProblems,
  scoreSamples,
  taskProblems,
  type MathProblem,
  type ReasoningProblem,
  type SampleScore,
  type SubmittedPrediction,
} from "@levin/evaluation";
import { answerItems, openPredictionLog, type BatchAnswerer } from "@levin/evaluation/node";
import { createRandom, evaluationProblems } from "@levin/tasks";
import { modelDirectory } from "../load-bundle.ts";
import type { Crew } from "../spread/crew.ts";
import { openCrew, type SpreadFlags } from "../spread/open-crew.ts";
import type { ReplyPiece } from "../spread/piece.ts";
import { readTasks } from "../task-names.ts";
import { hashOf, hashOfModel } from "../training/fingerprints.ts";
import { SuiteSettingsError } from "./suite-settings.ts";
import { writeReport } from "./write-report.ts";

/** How reasoning is to be measured: the flags of `levin eval reasoning`. */
export interface ReasoningSettings extends SpreadFlags {
  /** A model directory; spark without. */
  model?: string;
  backend: string;
  output: string;
  /** Files of problems; without, problems of the verifiable tasks are made. */
  data?: readonly string[];
  /** A file of examples that are asked and answered before each question of `data`. */
  examples?: string;
  shots: number;
  /** Stands behind each question of `data`. */
  instruction: string;
  /** Names parted by commas; all tasks without. */
  tasks?: string;
  /** Problems of each task (default 50) or file (default: all). */
  count?: number;
  problemSeed: number;
  maxDifficulty: number;
  /** Replies to each problem. */
  samples: number;
  temperature: number;
  maxTokens: number;
  thinkingBudget?: number;
  seed: number;
}

/** What a run tells on its way. */
export interface ReasoningEvents {
  onAnswered(suite: string, done: number, all: number): void;
  onResult(score: SampleScore): void;
  signal: AbortSignal;
}

/** All that a run measured, as JSON. */
export interface ReasoningReport {
  kind: "reasoning";
  model: string;
  settings: Readonly<Record<string, unknown>>;
  results: readonly SampleScore[];
}

/**
 * Asks a model problems of files or tasks, or goes on where an earlier run with the same output folder
 * stopped. Leaves `predictions/`, `report.json` and `report.md`.
 *
 * @returns the report; undefined after an abort
 * @throws DataError, UnknownTaskError, SuiteSettingsError, PredictionLogError
 */
export async function runReasoning(
  settings: ReasoningSettings,
  events: ReasoningEvents,
): Promise<ReasoningReport | undefined> {
  expectFitting(settings);
  const suites = await readSuites(settings);
  const modelHash = await hashOfModel(modelDirectory(settings.model));
  const decisive = { ...(await decisiveOf(settings)), model: modelHash };
  const crew = await openCrew(settings, modelHash);
  const results: SampleScore[] = [];
  try {
    for (const [suite, problems] of suites) {
      const score = await measure(suite, problems, { settings, events, crew, decisive });
      if (!score) return undefined;
      events.onResult(score);
      results.push(score);
    }
  } finally {
    await crew.close();
  }
  const report: ReasoningReport = {
    ...{ kind: "reasoning", model: settings.model ?? "spark" },
    ...{ settings: decisive, results },
  };
  await writeReport(settings.output, report, reasoningMarkdown(report));
  return report;
}

/** One of the replies to a problem. */
interface Sample {
  id: string;
  problem: ReasoningProblem;
  /** Its place among all samples, which decides what it draws. */
  place: number;
}

async function measure(
  suite: string,
  problems: readonly ReasoningProblem[],
  run: {
    settings: ReasoningSettings;
    events: ReasoningEvents;
    crew: Crew;
    decisive: Record<string, unknown>;
  },
): Promise<SampleScore | undefined> {
  const { settings, events, crew, decisive } = run;
  const samples = problems.flatMap((problem, i) =>
    Array.from({ length: settings.samples }, (_, sample): Sample => ({
      id: `${problem.id}#${sample}`,
      ...{ problem, place: i * settings.samples + sample },
    })),
  );
  const path = join(settings.output, "predictions", `${suite}.jsonl`);
  const log = await openPredictionLog(path, decisive);
  const answerer = sampleAnswerer(crew, settings, events.signal);
  const predictions = await answerItems(samples, answerer, log, {
    onProgress: (done) => events.onAnswered(suite, done, samples.length),
    signal: events.signal,
  });
  return (
    predictions &&
    scoreSamples(
      suite,
      samples.map(({ problem }, i) => {
        const { value, text = "" } = predictions[i]!;
        return { problem: problem.id, isRight: value === 1, key: problem.keyOf(text) };
      }),
    )
  );
}

/** Samples of one batch. */
const together = 16;

/** Has a crew reply to samples, and judges them here. */
function sampleAnswerer(
  crew: Crew,
  { temperature, maxTokens, thinkingBudget, seed }: ReasoningSettings,
  signal: AbortSignal,
): BatchAnswerer<Sample, SubmittedPrediction> {
  const pieceOf = (samples: readonly Sample[]): ReplyPiece => ({
    work: "reply",
    chats: samples.map(({ problem }) => problem.turns),
    options: {
      ...{ maxNewTokens: maxTokens, temperature },
      ...(thinkingBudget !== undefined && { thinkingBudget }),
      // Each draws by the seed and its number.
      seed: seed + samples[0]!.place,
    },
  });
  return {
    together,
    answerAll: async function* (batches) {
      for await (const { index, result } of crew.perform(batches.map(pieceOf), signal)) {
        yield batches[index]!.map(({ id, problem }, i) => {
          const text = result[i]!;
          return { id, value: Number(problem.isRight(text)), text };
        });
      }
    },
  };
}

async function readSuites(settings: ReasoningSettings): Promise<[string, ReasoningProblem[]][]> {
  const { data, count, problemSeed: seed, maxDifficulty, instruction, shots } = settings;
  if (!data) {
    return (await readTasks(settings.tasks)).map((task) => [
      task.name,
      taskProblems(evaluationProblems(task, { count: count ?? 50, seed, maxDifficulty })),
    ]);
  }
  const known = settings.examples === undefined ? [] : await readProblems(settings.examples);
  if (shots > known.length) {
    throw new SuiteSettingsError(
      `--shots: expected at most ${known.length}, the examples of ${settings.examples}, found ${shots}`,
    );
  }
  const examples = createRandom(seed).sample(known, shots);
  const names = suiteNames(data);
  return Promise.all(
    data.map(async (path, i): Promise<[string, ReasoningProblem[]]> => {
      const problems = (await readProblems(path)).slice(0, count);
      const suite = names[i]!;
      return [suite, mathReasoningProblems(suite, problems, { instruction, examples })];
    }),
  );
}

/** Flags that would say nothing beside the others. Throws SuiteSettingsError. */
function expectFitting({ data, examples, shots, samples, temperature }: ReasoningSettings): void {
  if (!data && (examples !== undefined || shots > 0)) {
    throw new SuiteSettingsError("--examples and --shots: expected --data beside them, found none");
  }
  if ((examples === undefined) !== (shots === 0)) {
    throw new SuiteSettingsError("expected --examples and --shots together, found one of them");
  }
  if (samples > 1 && temperature === 0) {
    throw new SuiteSettingsError(
      `--temperature: expected more than 0, so that ${samples} samples differ, found 0`,
    );
  }
}

/**
 * What files are called: their names without extension, with as many of their folders as tell them apart,
 * since data sets are full of files called `test.jsonl`.
 */
function suiteNames(paths: readonly string[]): string[] {
  const all = paths.map((path) =>
    resolve(dirname(path), basename(path, extname(path)))
      .split(sep)
      .filter((part) => part !== ""),
  );
  const nameOf = (parts: readonly string[], depth: number): string => parts.slice(-depth).join("-");
  const names = all.map((own) => {
    let depth = 1;
    const isShared = (): boolean =>
      all.some((other) => other !== own && nameOf(other, depth) === nameOf(own, depth));
    while (depth < own.length && isShared()) depth += 1;
    return nameOf(own, depth);
  });
  if (new Set(names).size === names.length) return names;
  throw new SuiteSettingsError(
    `--data: expected files of different names, found ${paths.join(", ")}`,
  );
}

async function readProblems(path: string): Promise<MathProblem[]> {
  const problems = parseMathProblems({ name: path, text: await readFile(path, "utf8") });
  if (problems.length > 0) return problems;
  throw new SuiteSettingsError(`${path}: expected problems, an object a line, found none`);
}

/** All that decides the replies beside the model. */
async function decisiveOf(settings: ReasoningSettings): Promise<Record<string, unknown>> {
  const { data, examples, samples, temperature, maxTokens, thinkingBudget, seed } = settings;
  const { problemSeed, maxDifficulty, instruction, shots } = settings;
  return {
    ...{ samples, temperature, maxTokens, thinkingBudget, seed, problemSeed },
    ...(data ? { data: await hashOf(data), instruction, shots } : { maxDifficulty }),
    ...(examples !== undefined && { examples: await hashOf([examples]) }),
  };
}

function reasoningMarkdown({ model, results }: ReasoningReport): string {
  const percent = (value: number): string => (100 * value).toFixed(1);
  const passes = Object.keys(results[0]?.passAt ?? {});
  const samples = results[0]?.samples ?? 1;
  const several = samples > 1 ? [...passes.slice(1).map((k) => `pass@${k}`), `maj@${samples}`] : [];
  const rows = results.map(({ suite, problems, accuracy, lower, upper, passAt, majority }) => [
    ...[suite, String(problems), `${percent(accuracy)} (${percent(lower)}–${percent(upper)})`],
    ...(samples > 1 ? [...passes.slice(1).map((k) => percent(passAt[k]!)), percent(majority)] : []),
  ]);
  const header = ["", "problems", "accuracy, % (95 % interval)", ...several];
  const note =
    `The ${samples} replies to a problem are no independent trials: ` +
    "intervals (Wilson) count them by what their spread over the problems is worth.";
  return [
    `# Reasoning: ${model}`,
    "",
    ...[header, header.map((_, i) => (i === 0 ? "---" : "---:")), ...rows].map(
      (cells) => `| ${cells.join(" | ")} |`,
    ),
    "",
    ...(samples > 1 ? [note, ""] : []),
  ].join("\n");
}
