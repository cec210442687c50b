import { describe, expect, it } from "vitest";
import type { Item } from "../data/item.ts";
import { MetricError } from "../metrics/metric-error.ts";
import type { Suite } from "../suites/benchmark-task.ts";
import { glue } from "../suites/glue.ts";
import { superglue } from "../suites/superglue.ts";
import { majorityScore, scoreTask } from "./score-task.ts";
import { reportMarkdown, suiteReport, type TaskResult } from "./suite-report.ts";

/** Results of tasks from the figures of a leaderboard's row, in percent. */
function results(suite: Suite, row: Record<string, number[]>): TaskResult[] {
  return Object.entries(row).map(([task, values]) => {
    const { metrics } = suite.tasks.find(({ name }) => name === task)!;
    expect(metrics).toHaveLength(values.length);
    return {
      ...{ task, count: 10 },
      metrics: Object.fromEntries(metrics.map((name, i) => [name, values[i]! / 100])),
      score: values.reduce((sum, value) => sum + value, 0) / values.length / 100,
    };
  });
}

const parts = { method: "head", model: "BERT-large", settings: {} };

// The rows of BERT-large as published in table 1 of arXiv 1810.04805's leaderboard entry and in
// table 3 of arXiv 1905.00537.
const bertGlue = {
  ...{ cola: [60.5], sst2: [94.9], mrpc: [89.3, 85.4], stsb: [87.6, 86.5], qqp: [72.1, 89.3] },
  ...{ "mnli-m": [86.7], "mnli-mm": [85.9], qnli: [92.7], rte: [70.1], wnli: [65.1], ax: [39.6] },
};
const bertSuperglue = {
  ...{ boolq: [77.4], cb: [75.7, 83.6], copa: [70.6], multirc: [70.0, 24.1] },
  ...{ record: [72.0, 71.3], rte: [71.7], wic: [69.6], wsc: [64.4], "ax-b": [23.0] },
};

describe("the official average", () => {
  it("is what the leaderboards give BERT-large", () => {
    const average = suiteReport(glue, { ...parts, results: results(glue, bertGlue) }).average!;
    expect((100 * average).toFixed(1)).toBe("80.5");
    const other = suiteReport(superglue, { ...parts, results: results(superglue, bertSuperglue) });
    expect((100 * other.average!).toFixed(1)).toBe("69.0");
  });

  it("is none while an entry is missing, half of MNLI too", () => {
    const { "mnli-mm": _, ...rest } = bertGlue;
    const report = suiteReport(glue, { ...parts, results: results(glue, rest) });
    expect([report.average, report.entries]).toEqual([null, { measured: 8, all: 9 }]);
    expect(reportMarkdown(glue, report)).toContain("no average: 8 of 9 tasks measured");
  });

  it("stands over a table in Markdown", () => {
    const report = suiteReport(glue, { ...parts, results: results(glue, bertGlue) });
    const lines = reportMarkdown(glue, report).split("\n");
    expect(lines[0]).toBe("# GLUE: BERT-large by head, average 80.5");
    expect(lines).toContain("| MRPC | F1 / accuracy | 10 | 89.3 / 85.4 | – |");
  });
});

describe("scores of a task", () => {
  const task = (suite: Suite, name: string) => suite.tasks.find((each) => each.name === name)!;
  const items: Item[] = [1, 1, 0].map((label, i) => ({ id: String(i), fields: {}, label }));

  it("judges predictions by their item, whatever their order", () => {
    const predictions = [2, 0, 1].map((i) => ({
      id: String(i),
      value: i === 1 ? 0 : i === 0 ? 1 : 0,
    }));
    const score = scoreTask(task(glue, "mrpc"), items, predictions);
    expect(score.metrics).toEqual({ F1: 2 / 3, accuracy: 2 / 3 });
  });

  it("counts a metric without a value as 0 and says null", () => {
    const scores = items.map((item, i) => ({ ...item, label: i }));
    const score = majorityScore(task(glue, "stsb"), scores, scores);
    expect(score).toEqual({ count: 3, metrics: { Pearson: null, Spearman: null }, score: 0 });
  });

  it("answers alike with the commonest class of the training set, or the first choice", () => {
    const training = [0, 0, 1].map((label, i) => ({ id: String(i), fields: {}, label }));
    expect(majorityScore(task(glue, "sst2"), training, items).metrics).toEqual({ accuracy: 1 / 3 });
    const queries = [
      { id: "0", fields: {}, choices: ["Ann", "Bo"], answers: ["Ann"], label: 0 },
      { id: "1", fields: {}, choices: ["Ann", "Bo"], answers: ["Bo"], label: 1 },
    ];
    expect(majorityScore(task(superglue, "record"), queries, queries).score).toBe(0.5);
  });

  it("names the item that lacks a label or a prediction", () => {
    const { label: _, ...unlabelled } = items[0]!;
    const one = [{ id: "0", value: 1 }];
    expect(() => scoreTask(task(glue, "rte"), [unlabelled], one)).toThrow(MetricError);
    expect(() => scoreTask(task(glue, "rte"), [unlabelled], one)).toThrow(
      "RTE: expected a label of item 0, found none",
    );
    expect(() => scoreTask(task(glue, "rte"), items, one)).toThrow("a prediction of item 1");
  });
});
