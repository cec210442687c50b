import type { ContextPrediction } from "./answer-in-context.ts";
import type { ContextItem, ContextSuite } from "./context-suite.ts";

/** What a model scored with contexts of one length, or with answers at one depth in them. */
export interface ContextResult {
  suite: string;
  length: number;
  /** None for all depths together. */
  depth?: number;
  count: number;
  /** Mean, 0 to 1. */
  score: number;
  /** The score to be expected of guesses. */
  chance: number;
  /** Of the longest prompt. */
  promptTokens: number;
  /** Of the largest state of prompt and reply. */
  stateBytes: number;
}

/** All that a run measured, as JSON. */
export interface ContextReport {
  kind: "long-context";
  settings: Readonly<Record<string, unknown>>;
  suites: readonly Pick<ContextSuite, "name" | "title">[];
  /** A model, or a model and its twin. */
  models: readonly ContextRun[];
}

/** What one model came to. */
export interface ContextRun {
  model: string;
  results: readonly ContextResult[];
  /** Lengths that are beyond its context. */
  beyond: readonly number[];
}

/** A suite's results of each length, then of each length and depth. */
export function contextResults(
  items: readonly ContextItem[],
  predictions: readonly ContextPrediction[],
): ContextResult[] {
  const byId = new Map(predictions.map((prediction) => [prediction.id, prediction]));
  const resultOf = (members: readonly ContextItem[]): ContextResult => {
    const found = members.map(({ id }) => byId.get(id)!);
    return {
      ...{ suite: members[0]!.suite, length: members[0]!.length, count: found.length },
      score: mean(found.map(({ value }) => value)),
      chance: mean(found.map(({ chance }) => chance)),
      promptTokens: Math.max(...found.map(({ promptTokens }) => promptTokens)),
      stateBytes: Math.max(...found.map(({ stateBytes }) => stateBytes)),
    };
  };
  const placed = items.filter(({ depth }) => depth !== undefined);
  return [
    ...grouped(items, ({ length }) => String(length)).map(resultOf),
    ...grouped(placed, ({ length, depth }) => `${length} ${depth}`).map((members) => ({
      ...resultOf(members),
      depth: members[0]!.depth!,
    })),
  ];
}

/** Items that share a key, in their order. */
function grouped(
  items: readonly ContextItem[],
  keyOf: (item: ContextItem) => string,
): ContextItem[][] {
  const groups = new Map<string, ContextItem[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

/** A table of scores and memory for each suite, in Markdown; models stand side by side. */
export function contextMarkdown({ suites, models }: ContextReport): string {
  const names = models.map(({ model }) => model);
  const header = [
    "tokens",
    ...names,
    "chance",
    "questions",
    ...names.map((name) => `state of ${name}`),
  ];
  const tables = suites.map(({ name, title }) => {
    const of = ({ results }: ContextRun): ContextResult[] =>
      results.filter(({ suite, depth }) => suite === name && depth === undefined);
    const lengths = [...new Set(models.flatMap((run) => of(run).map(({ length }) => length)))];
    const rows = lengths
      .toSorted((a, b) => a - b)
      .map((length) => {
        const found = models.map((run) => of(run).find((result) => result.length === length));
        const known = found.find((result) => result !== undefined)!;
        return [
          length.toLocaleString("en"),
          ...found.map((result) => (result ? percent(result.score) : "–")),
          percent(known.chance),
          String(known.count),
          ...found.map((result) => (result ? mebibytes(result.stateBytes) : "–")),
        ];
      });
    const lines = [header, header.map(() => "---:"), ...rows].map(
      (cells) => `| ${cells.join(" | ")} |`,
    );
    return [`## ${title} (\`${name}\`)`, "", ...lines, ""].join("\n");
  });
  const beyond = models
    .filter((run) => run.beyond.length > 0)
    .map((run) => `Beyond the context of ${run.model}: ${run.beyond.join(", ")}.\n`);
  return [`# Long context: ${names.join(" beside ")}\n`, ...tables, ...beyond].join("\n");
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}
