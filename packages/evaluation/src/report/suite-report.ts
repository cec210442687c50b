import type { Suite } from "../suites/benchmark-task.ts";
import type { TaskScore } from "./score-task.ts";

/** A task's score in a report. */
export interface TaskResult extends TaskScore {
  /** Such as `cola`. */
  task: string;
  /** What answering every item alike scores, where a training set tells how. */
  majority?: TaskScore;
}

/** All that a run measured, as JSON. */
export interface SuiteReport {
  suite: Suite["name"];
  /** Such as `head` with its settings. */
  method: string;
  model: string;
  settings: Readonly<Record<string, unknown>>;
  results: readonly TaskResult[];
  /** The official average; null unless every entry was measured. */
  average: number | null;
  /** Entries that count in the average and were measured, of how many. */
  entries: { measured: number; all: number };
}

/**
 * The official average: each entry of the leaderboard counts once, tasks of several metrics and MNLI's
 * two test sets by their mean; diagnostics do not count.
 */
export function suiteReport(
  suite: Suite,
  parts: Pick<SuiteReport, "method" | "model" | "settings" | "results">,
): SuiteReport {
  const entries = new Map<string, (number | undefined)[]>();
  for (const { name, entry } of suite.tasks) {
    if (entry === undefined) continue;
    const score = parts.results.find(({ task }) => task === name)?.score;
    entries.set(entry, [...(entries.get(entry) ?? []), score]);
  }
  const scores = [...entries.values()].filter((each): each is number[] =>
    each.every((score) => score !== undefined),
  );
  const measured = scores.length;
  return {
    suite: suite.name,
    ...parts,
    average: measured === entries.size ? mean(scores.map(mean)) : null,
    entries: { measured, all: entries.size },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The report as a table in Markdown, in percent as leaderboards show it. */
export function reportMarkdown(suite: Suite, report: SuiteReport): string {
  const rows = report.results.map((result) => {
    const { title } = suite.tasks.find(({ name }) => name === result.task)!;
    const names = Object.keys(result.metrics).join(" / ");
    const majority = result.majority ? valuesOf(result.majority) : "–";
    return `| ${title} | ${names} | ${result.count} | ${valuesOf(result)} | ${majority} |`;
  });
  const { measured, all } = report.entries;
  const average =
    report.average === null
      ? `no average: ${measured} of ${all} tasks measured`
      : `average ${percent(report.average)}`;
  return [
    `# ${suite.title}: ${report.model} by ${report.method}, ${average}`,
    "",
    "| task | metric | examples | score | all answered alike |",
    "| --- | --- | ---: | ---: | ---: |",
    ...rows,
    "",
  ].join("\n");
}

function valuesOf({ metrics }: TaskScore): string {
  return Object.values(metrics)
    .map((value) => (value === null ? "–" : percent(value)))
    .join(" / ");
}

function percent(value: number): string {
  return (100 * value).toFixed(1);
}
