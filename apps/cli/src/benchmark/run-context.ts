import { mkdir, readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  contextAnswerer,
  contextMarkdown,
  contextResults,
  contextSuites,
  mrcrFileSuite,
  proseHaystack,
  textHaystack,
  type ChatTurn,
  type ContextItem,
  type ContextPrediction,
  type ContextReport,
  type ContextResult,
  type ContextRun,
  type ContextSuite,
} from "@levin/evaluation";
import { answerItems, openPredictionLog, readMrcr } from "@levin/evaluation/node";
import type { NextTokenModel } from "@levin/model";
import { encodeChat } from "@levin/tokenizer";
import { loadBundle, loadText, modelDirectory, type ModelBundle } from "../load-bundle.ts";
import { hashOf, hashOfModel } from "../training/fingerprints.ts";
import { expectWritable, writeFileWhole } from "../training/write-whole.ts";
import { decisiveOfContext, type ContextSettings } from "./context-settings.ts";

/** What a run tells on its way. */
export interface ContextEvents {
  /** `tokens` of prompts have been read in all. */
  onProgress(suite: ContextSuite, model: string, done: number, all: number, tokens: number): void;
  onResult(result: ContextResult, model: string): void;
  onNotice(text: string): void;
  signal: AbortSignal;
}

/** Closing a thought by force takes some tokens beside its budget. */
const closingTokens = 16;

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
  const models: ContextRun[] = [];
  const titles = new Map<string, string>();
  for (const [name, directory] of namedModels(settings)) {
    const run = await runModel(name, directory, settings, {
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
  const path = join(settings.output, "report.json");
  await writeFileWhole(path, `${JSON.stringify(report, null, 2)}\n`);
  await writeFileWhole(join(settings.output, "report.md"), contextMarkdown(report));
  return report;
}

/** Every question with the right answer as chats in OpenAI's form, one a line: to learn from, or to ask elsewhere. */
export async function writeContextChats(settings: ContextSettings, path: string): Promise<number> {
  const lines: string[] = [];
  for (const suite of await suitesOf(settings, modelDirectory(settings.model))) {
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

async function suitesOf(settings: ContextSettings, directory: string): Promise<ContextSuite[]> {
  const { suites, lengths, depths, count, seed, needles, pairs, haystack } = settings;
  const { tokenizer, chatTemplate: template } = await loadText(directory);
  const text = haystack === undefined ? undefined : await readFile(haystack, "utf8");
  const options = {
    ...{ lengths, depths, count, seed, needles, pairs },
    encode: (turns: readonly ChatTurn[]) => encodeChat(tokenizer, turns, { template }),
    haystack: text === undefined ? proseHaystack : textHaystack(text),
    thinkingTokens: settings.thinkingBudget === 0 ? 0 : settings.thinkingBudget + closingTokens,
  };
  const made = suites.map((name) => contextSuites[name](options));
  return settings.mrcr ? [...made, await mrcrFileSuite(readMrcr(settings.mrcr), options)] : made;
}

/** What one model came to; undefined after an abort. */
async function runModel(
  name: string,
  directory: string,
  settings: ContextSettings,
  events: ContextEvents & { onSuite(suite: ContextSuite): void },
): Promise<ContextRun | undefined> {
  const bundle = await loadBundle({ ...settings, model: directory });
  try {
    const limit = settings.contextLimit ?? bundle.model.config.maxPositionEmbeddings;
    const beyond = settings.lengths.filter((length) => length > limit);
    if (beyond.length > 0) {
      events.onNotice(`${name}: beyond its context of ${limit} tokens: ${beyond.join(", ")}`);
    }
    const lengths = settings.lengths.filter((length) => length <= limit);
    const results: ContextResult[] = [];
    for (const suite of await suitesOf({ ...settings, lengths }, directory)) {
      events.onSuite(suite);
      const found = await measure(suite, { name, directory, bundle, limit }, settings, events);
      if (!found) return undefined;
      for (const result of found) events.onResult(result, name);
      results.push(...found);
    }
    return { model: name, results, beyond };
  } finally {
    await bundle.model.dispose();
  }
}

interface Measured {
  name: string;
  directory: string;
  bundle: ModelBundle;
  limit: number;
}

async function measure(
  suite: ContextSuite,
  { name, directory, bundle, limit }: Measured,
  settings: ContextSettings,
  events: ContextEvents,
): Promise<ContextResult[] | undefined> {
  const { haystack, mrcr, thinkingBudget, output } = settings;
  const log = await openPredictionLog<ContextPrediction>(
    join(output, "predictions", `${suite.name}.${name}.jsonl`),
    {
      ...decisiveOfContext(settings),
      ...(haystack !== undefined && { haystack: await hashOf([haystack]) }),
      ...(suite.name === "openai-mrcr" && { mrcr: await hashOf(mrcr!) }),
      model: await hashOfModel(directory),
    },
  );
  let [done, tokens] = [0, 0];
  const tell = (): void => events.onProgress(suite, name, done, suite.items.length, tokens);
  const answerer = contextAnswerer(withContext(bundle.model, limit), bundle.tokenizer, suite, {
    thinkingBudget,
    onRead: (count) => {
      tokens += count;
      tell();
    },
  });
  const predictions = await answerItems<ContextItem, ContextPrediction>(
    suite.items,
    answerer,
    log,
    {
      onProgress: (count) => {
        done = count;
        tell();
      },
      signal: events.signal,
    },
  );
  return predictions && contextResults(suite.items, predictions);
}

/** The model, and its twin if there is one, by names that differ. */
function namedModels({ model, twin }: ContextSettings): [name: string, directory: string][] {
  const name = model === undefined ? "spark" : nameOf(model);
  const named: [string, string][] = [[name, modelDirectory(model)]];
  if (twin !== undefined) named.push([nameOf(twin) === name ? "twin" : nameOf(twin), twin]);
  return named;
}

/** The last part of a model's folder that says more than "model". */
function nameOf(directory: string): string {
  const path = resolve(directory);
  return ["model", "best"].includes(basename(path)) ? basename(dirname(path)) : basename(path);
}

/** The same model with another limit of its context. */
function withContext(model: ModelBundle["model"], maxPositionEmbeddings: number): NextTokenModel {
  const found: NextTokenModel = model;
  return {
    config: { ...found.config, maxPositionEmbeddings },
    createState: (batch) => found.createState(batch),
    deserializeState: (bytes) => found.deserializeState(bytes),
    advance: (state, tokens) => found.advance(state, tokens),
  };
}
