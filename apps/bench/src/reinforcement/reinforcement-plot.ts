import { renderSvg } from "../render-svg.ts";
import type { ReinforcementRecord } from "./reinforcement-record.ts";

/** Held-out accuracy by iteration as an SVG plot: each algorithm's mean and the range of its seeds. */
export function reinforcementPlot({ runs }: ReinforcementRecord): Promise<string> {
  const values = runs.flatMap(({ algorithm, seed, evaluations }) =>
    evaluations.map((each) => ({ ...each, seed, algorithm: algorithm.toUpperCase() })),
  );
  const encoding = {
    x: { field: "step", type: "quantitative" as const, axis: { title: "iteration" } },
    color: { field: "algorithm", type: "nominal" as const, title: null },
  };
  const accuracy = { field: "accuracy", type: "quantitative" as const, scale: { zero: false } };
  const axis = { title: "held-out accuracy, greedy", format: "~%" };
  return renderSvg({
    background: "white",
    width: 480,
    height: 280,
    data: { values },
    encoding,
    layer: [
      {
        mark: { type: "area", opacity: 0.15 },
        encoding: {
          y: { ...accuracy, aggregate: "min", axis },
          y2: { field: "accuracy", aggregate: "max" },
        },
      },
      {
        mark: { type: "line", point: true },
        encoding: { y: { ...accuracy, aggregate: "mean", axis } },
      },
    ],
  });
}
