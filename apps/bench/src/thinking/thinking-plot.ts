import type { TopLevelSpec } from "vega-lite";
import { renderSvg } from "../render-svg.ts";
import type { BudgetPoint, ThinkingRecord } from "./thinking-record.ts";

interface PlotPoint {
  series: string;
  /** Its place in the series. */
  index: number;
  x: number;
  label: string;
  accuracy: number;
  lower: number;
  upper: number;
}

type Panel = Extract<TopLevelSpec, { hconcat: unknown }>["hconcat"][number];

/** Accuracy with its intervals, by FLOPs of each thinking budget and by number of samples, as an SVG plot. */
export function thinkingPlot(record: ThinkingRecord): Promise<string> {
  return renderSvg({
    background: "white",
    hconcat: [
      panel("thinking budget (tokens), greedy", "FLOPs of a problem", budgetPoints(record)),
      panel("samples", "FLOPs of a problem, samples together", samplePoints(record)),
    ],
    resolve: { scale: { color: "independent" } },
  });
}

function panel(title: string, xTitle: string, values: PlotPoint[]): Panel {
  return {
    title,
    width: 360,
    height: 260,
    data: { values },
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        scale: { type: "log", nice: false, padding: 20 },
        axis: { title: xTitle, format: "~s" },
      },
      color: {
        field: "series",
        type: "nominal",
        title: null,
        sort: null,
        legend: { orient: "bottom", labelLimit: 0 },
      },
    },
    layer: [
      {
        mark: { type: "line", point: true },
        encoding: { y: accuracyOf("accuracy"), order: { field: "x" } },
      },
      { mark: "rule", encoding: { y: accuracyOf("lower"), y2: { field: "upper" } } },
      // Neighbours may lie close together: their labels stand below and above in turn.
      labels("datum.index % 2 === 0", 12),
      labels("datum.index % 2 === 1", -8),
    ],
  };
}

function labels(filter: string, dy: number) {
  return {
    transform: [{ filter }],
    mark: { type: "text" as const, dx: 5, dy, align: "left" as const },
    encoding: { y: accuracyOf("accuracy"), text: { field: "label" } },
  };
}

function accuracyOf(field: string) {
  return {
    field,
    type: "quantitative" as const,
    scale: { domain: [0, 1] },
    axis: { title: "accuracy", format: "~%" },
  };
}

function budgetPoints({ model, budgets, trainedTwin }: ThinkingRecord): PlotPoint[] {
  const points = (series: string, of: readonly BudgetPoint[], twin: "hybrid" | "softmax") =>
    of.map(({ budget, scores, cost }, index) => ({
      ...{ series, index, x: cost[twin].flops, label: budget.toLocaleString("en") },
      ...scores.all,
    }));
  return [
    ...points(model, budgets, "hybrid"),
    ...points("the same tokens, all softmax", budgets, "softmax"),
    ...(trainedTwin ? points(trainedTwin.model, trainedTwin.budgets, "softmax") : []),
  ];
}

function samplePoints({ samples }: ThinkingRecord): PlotPoint[] {
  const points = (series: string, choice: "vote" | "best") =>
    samples.map((each, index) => ({
      ...{ series, index, x: each.cost.hybrid.flops, label: each.count.toLocaleString("en") },
      ...each[choice].all,
    }));
  return [...points("majority vote", "vote"), ...points("best by verifier", "best")];
}
