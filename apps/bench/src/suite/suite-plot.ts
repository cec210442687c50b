import { glue, superglue, type SuiteReport, type TaskResult } from "@levin/evaluation";
import { renderSvg } from "../render-svg.ts";

/**
 * Scores of each task as an SVG plot: a bar for each report, a line where all items are answered alike.
 * @throws RangeError for reports of different suites, or two of one model and method
 */
export function suitePlot(reports: readonly SuiteReport[]): Promise<string> {
  const kinds = reports.map(({ suite, model, method }) => `${suite} of ${model} by ${method}`);
  const suites = new Set(reports.map(({ suite }) => suite));
  if (suites.size > 1 || new Set(kinds).size < kinds.length) {
    throw new RangeError(
      `expected reports of one suite, each of another model or method, found ${kinds.join(", ")}`,
    );
  }
  const { tasks } = reports[0]!.suite === "glue" ? glue : superglue;
  const titleOf = ({ task }: TaskResult): string => tasks.find(({ name }) => name === task)!.title;
  const scores = reports.flatMap(({ model, method, results }) =>
    results.map((result) => ({
      ...{ series: `${model}, ${method}`, task: titleOf(result), score: result.score },
      ...(result.majority && { majority: result.majority.score }),
    })),
  );
  const x = { field: "task", type: "nominal" as const, sort: null, axis: { title: null } };
  const scoreOf = (field: string) => ({
    field,
    type: "quantitative" as const,
    axis: { title: "score", format: "~%" },
  });
  return renderSvg({
    background: "white",
    width: { step: 28 },
    height: 260,
    data: { values: scores },
    encoding: { x },
    layer: [
      {
        mark: "bar",
        encoding: {
          y: scoreOf("score"),
          xOffset: { field: "series" },
          color: { field: "series", type: "nominal", title: null, legend: { orient: "bottom" } },
        },
      },
      {
        mark: { type: "tick", color: "black", thickness: 2 },
        encoding: { y: scoreOf("majority") },
      },
    ],
  });
}
