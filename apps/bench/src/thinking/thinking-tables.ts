import type { Score } from "@levin/tasks";
import { bytes } from "../report.ts";
import { timedRuns } from "./compute-cost.ts";
import type { LongThought } from "./long-thoughts.ts";
import type { Scores } from "./scores.ts";
import type { BudgetPoint, SamplesPoint, ThinkingRecord } from "./thinking-record.ts";

const costHeader = [
  ...["prompt tokens", "thought", "answer", "FLOPs", "softmax twin", "seconds", "softmax twin"],
  ...["state", "softmax twin"],
];

/** All figures as markdown. */
export function thinkingTables(record: ThinkingRecord): string {
  const { machine, backend, model, problems, maxDifficulty, timed, trainedTwin } = record;
  return [
    `${machine}, ${backend}, ${model}, ${problems} held-out problems of each task, ` +
      `difficulties to ${maxDifficulty}; means of a problem, seconds and state of ${timed} problems ` +
      `one at a time, best of ${timedRuns}; 95 % Wilson intervals in brackets`,
    ...(record.budgets.length > 0
      ? ["Greedy, by thinking budget:", budgetTable(record.budgets)]
      : []),
    ...(trainedTwin
      ? [`The trained softmax twin ${trainedTwin.model}:`, budgetTable(trainedTwin.budgets)]
      : []),
    ...(record.samples.length > 0
      ? [
          `Samples at temperature ${record.temperature}, thinking budget ${record.sampleBudget}:`,
          samplesTable(record.samples),
        ]
      : []),
    "By task:",
    taskTable(record),
    ...(record.long.length > 0 ? ["Long thoughts:", longTable(record.long)] : []),
  ].join("\n\n");
}

function budgetTable(points: readonly BudgetPoint[]): string {
  return table(
    ["thinking budget", "accuracy", ...costHeader],
    points.map((point) => [whole(point.budget), accuracy(point.scores.all), ...costs(point)]),
  );
}

function samplesTable(points: readonly SamplesPoint[]): string {
  return table(
    ["samples", "majority vote", "best by verifier", ...costHeader],
    points.map((point) => [
      ...[whole(point.count), accuracy(point.vote.all), accuracy(point.best.all)],
      ...costs(point),
    ]),
  );
}

function costs({ cost: { tokens, hybrid, softmax } }: Pick<BudgetPoint, "cost">): string[] {
  return [
    ...[tokens.prompt, tokens.thought, tokens.answer].map(whole),
    ...[compact(hybrid.flops), compact(softmax.flops)],
    ...[hybrid.seconds.toFixed(3), softmax.seconds.toFixed(3)],
    ...[bytes(hybrid.stateBytes), bytes(softmax.stateBytes)],
  ];
}

function taskTable({ budgets, samples }: ThinkingRecord): string {
  const columns: [name: string, scores: Scores][] = [
    ...budgets.map(({ budget, scores }) => [`budget ${whole(budget)}`, scores] as [string, Scores]),
    ...samples.map(({ count, vote }) => [`vote of ${count}`, vote] as [string, Scores]),
    ...samples
      .filter(({ count }) => count > 1)
      .map(({ count, best }) => [`best of ${count}`, best] as [string, Scores]),
  ];
  const tasks = columns[0]?.[1].tasks.map(({ task }) => task) ?? [];
  return table(
    ["task", ...columns.map(([name]) => name)],
    tasks.map((task) => [
      `\`${task}\``,
      ...columns.map(([, scores]) => accuracy(scores.tasks.find((score) => score.task === task)!)),
    ]),
  );
}

function longTable(thoughts: readonly LongThought[]): string {
  return table(
    [
      ...["tokens of thought", "one more token, ms", "softmax twin", "ratio"],
      ...["all of it, seconds (extrapolated)", "softmax twin", "FLOPs", "softmax twin"],
      ...["state", "softmax twin"],
    ],
    thoughts.map(({ tokens, hybrid, softmax }) => [
      whole(tokens),
      ...[hybrid, softmax].map((cost) => cost.millisecondsPerToken.toFixed(2)),
      `${(softmax.millisecondsPerToken / hybrid.millisecondsPerToken).toFixed(2)} ×`,
      ...[hybrid, softmax].map(({ seconds }) => seconds.toFixed(1)),
      ...[hybrid, softmax].map(({ flops }) => compact(flops)),
      ...[hybrid, softmax].map(({ stateBytes }) => bytes(stateBytes)),
    ]),
  );
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map((_, column) => (column === 0 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

function accuracy({ accuracy: share, lower, upper }: Score): string {
  const percent = (value: number): string => (100 * value).toFixed(0);
  return `${(100 * share).toFixed(1)} % (${percent(lower)}–${percent(upper)})`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

const compactFormat = new Intl.NumberFormat("en", {
  notation: "compact",
  maximumSignificantDigits: 3,
});

function compact(value: number): string {
  return compactFormat.format(value);
}
