import type { TopLevelSpec } from "vega-lite";
import { renderSvg } from "../render-svg.ts";
import { best } from "../with-spread.ts";
import type { PeerGroup } from "./peer-group.ts";
import { peerSizes } from "./peer-sizes.ts";

const kinds = ["prefill", "decode"] as const;

/** Speeds of all engines as an SVG plot: a line from the worst to the best repetition, a point at the best. */
export async function peerPlot(groups: readonly PeerGroup[]): Promise<string> {
  const values = groups.flatMap(({ size, length, results }) =>
    results.flatMap((result) =>
      kinds.map((kind) => ({
        panel: `${size}, ${kind} (tokens/s)`,
        engine: `${result.engine} ${result.weights}`,
        weights: result.weights,
        prompt: length.toLocaleString("en"),
        best: best(result[kind]),
        worst: Math.min(...result[kind]),
      })),
    ),
  );
  const spec: TopLevelSpec = {
    background: "white",
    data: { values },
    facet: {
      field: "panel",
      title: null,
      sort: peerSizes.flatMap((size) => kinds.map((kind) => `${size}, ${kind} (tokens/s)`)),
    },
    columns: 2,
    spec: {
      width: 320,
      height: { step: 16 },
      encoding: {
        y: {
          field: "engine",
          type: "nominal",
          title: null,
          sort: null,
          axis: { labelLimit: 300, grid: true },
        },
        x: { field: "best", type: "quantitative", scale: { type: "log" }, title: null },
        color: { field: "weights", type: "nominal", title: "weights", sort: null },
      },
      layer: [
        { mark: { type: "rule" }, encoding: { x2: { field: "worst" } } },
        {
          mark: { type: "point", filled: true, size: 50 },
          encoding: { shape: { field: "prompt", type: "nominal", title: "prompt", sort: null } },
        },
      ],
    },
    resolve: { scale: { x: "independent" } },
  };
  return renderSvg(spec);
}
