import type { ContextReport, ContextResult } from "@levin/evaluation";
import type { TopLevelSpec } from "vega-lite";
import { renderSvg } from "../render-svg.ts";

type LayerSpec = Extract<
  Extract<TopLevelSpec, { spec: unknown; facet: unknown }>["spec"],
  { layer: unknown }
>;

interface Point extends ContextResult {
  model: string;
  /** Such as `4K`. */
  tokens: string;
}

/** Scores by length and depth, a map for each suite and model, as an SVG plot. */
export function depthPlot(report: ContextReport): Promise<string> {
  const all = points(report).filter(({ depth }) => depth !== undefined);
  return renderSvg({
    background: "white",
    vconcat: suitesOf(all).map((suite) => ({
      title: suite,
      data: {
        values: all
          .filter((point) => point.suite === suite)
          .map((point) => ({ ...point, percent: Math.round(100 * point.depth!) })),
      },
      facet: { column: { field: "model", title: null, sort: null } },
      spec: depthMap,
    })),
  });
}

const byLength = {
  field: "tokens",
  type: "ordinal" as const,
  sort: { field: "length" },
  axis: { title: "tokens", labelAngle: 0 },
};

const depthMap: LayerSpec = {
  width: { step: 40 },
  height: { step: 22 },
  encoding: {
    x: byLength,
    y: { field: "percent", type: "ordinal", title: "depth (%)" },
  },
  layer: [
    {
      mark: "rect",
      encoding: {
        color: {
          field: "score",
          type: "quantitative",
          scale: { domain: [0, 1], scheme: "greens" },
          legend: { title: "score", format: ".0%" },
        },
      },
    },
    {
      mark: { type: "text", fontSize: 9 },
      encoding: { text: { field: "score", type: "quantitative", format: ".0%" } },
    },
  ],
};

/** Scores by length beside what guesses score, and bytes of state, as an SVG plot. */
export function lengthPlot(report: ContextReport): Promise<string> {
  const all = points(report).filter(({ depth }) => depth === undefined);
  const color = {
    field: "model",
    type: "nominal" as const,
    title: null,
    sort: null,
    legend: { orient: "bottom" as const },
  };
  const panel = { width: 200, height: 160 };
  const scores = suitesOf(all).map((suite) => ({
    ...panel,
    title: suite,
    data: { values: all.filter((point) => point.suite === suite) },
    encoding: { x: byLength },
    layer: [
      {
        mark: { type: "line" as const, point: true },
        encoding: {
          y: {
            field: "score",
            type: "quantitative" as const,
            scale: { domain: [0, 1] },
            axis: { title: "score", format: "%" },
          },
          color,
        },
      },
      {
        mark: { type: "line" as const, strokeDash: [4, 4], color: "grey" },
        encoding: { y: { field: "chance", type: "quantitative" as const } },
      },
    ],
  }));
  const memory = {
    ...panel,
    title: "state (bytes)",
    data: { values: all.filter(({ suite }) => suite === all[0]!.suite) },
    mark: { type: "line" as const, point: true },
    encoding: {
      x: byLength,
      y: {
        field: "stateBytes",
        type: "quantitative" as const,
        scale: { type: "log" as const },
        axis: { title: null, format: "~s" },
      },
      color,
    },
  };
  return renderSvg({ background: "white", columns: 3, concat: [...scores, memory] });
}

function suitesOf(all: readonly Point[]): string[] {
  return [...new Set(all.map(({ suite }) => suite))];
}

function points({ models }: ContextReport): Point[] {
  return models.flatMap(({ model, results }) =>
    results.map((result) => ({
      ...result,
      model,
      tokens: result.length < 1024 ? String(result.length) : `${result.length / 1024}K`,
    })),
  );
}
