import { mkdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  contextMarkdown,
  contextResults,
  questionsOfContext,
  type ContextItem,
  type ContextPrediction,
  type ContextReport,
  type ContextResult,
  type ContextRun,
  type ContextSuite,
} from "@levin/evaluation";
import { answerItems, openPredictionLog, type BatchAnswerer } from "@levin/evaluation/node";
import { readConfig } from "@levin/model/node";
import { loadText, modelDirectory } from "../load-bundle.ts";
import type { Crew } from "../spread/crew.ts";
import { openCrew } from "../spread/open-crew.ts";
import type { ContextPiece } from "../spread/piece.ts";
import { hashOf, hashOfModel } from "../training/fingerprints.ts";
import { expectWritable, writeFileWhole } from "../training/write-whole.ts";
import { contextSuitesOf } from "./context-performer.ts";
import {
  decisiveOfContext,
  sourceOf,
  type ContextSettings,
  type ContextSource,
} from "./context-settings.ts";
import { SuiteSettingsError } from "./suite-settings.ts";
import { writeReport } from "./write-report.ts";

/** What a run tells on its way. */
export interface ContextEvents {
  onProgress(suite: ContextSuite, model: string, done: number, all: number): void;
  onResult(result: ContextResult, model: string): void;
  onNotice(text: string): void;
  signal: AbortSignal;
}

/**
 * Asks a model, and its twin if there is one, about long contexts, or goes on where an earlier run with
 * the same output folder stopped. Leaves `predictions/`, `report.json` and `report.md`.
 *
 * @returns the report; undefined after an abort
 * @throws ContextError, SuiteSettingsError, PredictionLogError
 */
export async function runContext(
  settings: ContextSettings,
  events: ContextEvents,
): Promise<ContextReport | undefined> {
  checkSettings(settings);
  const models: ContextRun[] = [];
  const titles = new Map<string, string>();
  const named = namedModels(settings);
  // A twin that can't be read is told before the model has been asked for hours.
  for (const { directory } of named) await readConfig(directory);
  for (const model of named) {
    const run = await runModel(model, settings, {
      ...events,
      onSuite: (suite) => titles.set(suite.name, suite.title),
    });
    if (!run) return undefined;
    models.push(run);
  }
  const report: ContextReport = {
    kind: "long-context",
    settings: { ...decisiveOfContext(settings), haystack: settings.haystack },
    suites: [...titles].map(([name, title]) => ({ name, title })),
    models,
  };
  await writeReport(settings.output, report, contextMarkdown(report));
  return report;
}

function checkSettings({ suites, mrcr, haystack, redis }: ContextSettings): void {
  if (suites.length === 0 && !mrcr) {
    throw new SuiteSettingsError("--suites: expected --mrcr beside none, found nothing to ask");
  }
  if (redis === undefined || (haystack ?? mrcr) === undefined) return;
  throw new SuiteSettingsError(
    "--redis: expected neither --haystack nor --mrcr, whose files are on this machine alone",
  );
}

/** Every question with the right answer as chats in OpenAI's form, one a line: to learn from, or to ask elsewhere. */
export async function writeContextChats(settings: ContextSettings, path: string): Promise<number> {
  const lines: string[] = [];
  const text = await loadText(modelDirectory(settings.model));
  for (const suite of await contextSuitesOf(settings, text)) {
    for (const item of suite.items) {
      const { turns, answer } = suite.promptOf(item);
      const messages = [...turns, { role: "assistant", content: answer }];
      lines.push(`${JSON.stringify({ messages })}\n`);
    }
  }
  await expectWritable(path, () => mkdir(dirname(path), { recursive: true }));
  await writeFileWhole(path, lines.join(""));
  return lines.length;
}

/** What one model came to; undefined after an abort. */
async function runModel(
  { name, directory }: NamedModel,
  settings: ContextSettings,
  events: ContextEvents & { onSuite(suite: ContextSuite): void },
): Promise<ContextRun | undefined> {
  const limit = settings.contextLimit ?? (await readConfig(directory)).maxPositionEmbeddings;
  const beyond = settings.lengths.filter((length) => length > limit);
  if (beyond.length > 0) {
    events.onNotice(`${name}: beyond its context of ${limit} tokens: ${beyond.join(", ")}`);
  }
  const lengths = settings.lengths.filter((length) => length <= limit);
  const source = sourceOf({ ...settings, lengths });
  const text = await loadText(directory);
  const modelHash = await hashOfModel(directory);
  const crew = await openCrew({ ...settings, model: directory }, modelHash);
  const results: ContextResult[] = [];
  try {
    for (const suite of await contextSuitesOf(source, text)) {
      events.onSuite(suite);
      if (suite.items.length === 0 && lengths.length > 0) {
        events.onNotice(`${suite.name}: no question is of these lengths`);
      }
      const found = await measure(suite, { name, modelHash, source, crew }, settings, events);
      if (!found) return undefined;
      for (const result of found) events.onResult(result, name);
      results.push(...found);
    }
  } finally {
    await crew.close();
  }
  return { model: name, results, beyond };
}

async function measure(
  suite: ContextSuite,
  run: { name: string; modelHash: string; source: ContextSource; crew: Crew },
  { haystack, mrcr, output }: ContextSettings,
  events: ContextEvents,
): Promise<ContextResult[] | undefined> {
  const { name, modelHash, source, crew } = run;
  const log = await openPredictionLog<ContextPrediction>(
    join(output, "predictions", `${suite.name}.${name}.jsonl`),
    {
      ...decisiveOfContext(source),
      ...(haystack !== undefined && { haystack: await hashOf([haystack]) }),
      ...(suite.name === "openai-mrcr" && { mrcr: await hashOf(mrcr!) }),
      model: modelHash,
    },
  );
  const { items } = suite;
  const answerer: BatchAnswerer<ContextItem, ContextPrediction> = {
    together: questionsOfContext(items),
    answerAll: async function* (contexts) {
      const pieces = contexts.map((asked): ContextPiece => ({
        ...{ work: "context", suite: suite.name, source, items: asked },
      }));
      for await (const { result } of crew.perform(pieces, events.signal)) yield result;
    },
  };
  const predictions = await answerItems(items, answerer, log, {
    onProgress: (done) => events.onProgress(suite, name, done, items.length),
    signal: events.signal,
  });
  return predictions && contextResults(items, predictions);
}

interface NamedModel {
  name: string;
  directory: string;
}

/** The model, and its twin if there is one, by names that differ. */
function namedModels({ model, twin }: ContextSettings): NamedModel[] {
  const name = model === undefined ? "spark" : nameOf(model);
  const named = [{ name, directory: modelDirectory(model) }];
  if (twin !== undefined) {
    named.push({ name: nameOf(twin) === name ? "twin" : nameOf(twin), directory: twin });
  }
  return named;
}

/** The last part of a model's folder that says more than "model". */
function nameOf(directory: string): string {
  const path = resolve(directory);
  return ["model", "best"].includes(basename(path)) ? basename(dirname(path)) : basename(path);
}
