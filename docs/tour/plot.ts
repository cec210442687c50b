import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderSvg } from "@levin/bench/render-svg";

/** Where plots go: beside the steps, or where LEVIN_PLOTS says. */
const folder = process.env["LEVIN_PLOTS"] ?? join(import.meta.dirname, "plots");

/** Draws a Vega-Lite plot into `plots/<name>.svg`. */
export async function plot(
  name: string,
  values: readonly Record<string, number | string>[],
  rest: Record<string, unknown>,
): Promise<void> {
  const spec = {
    width: 420,
    height: 240,
    config: { legend: { labelLimit: 0 } },
    data: { values },
    ...rest,
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.svg`), await renderSvg(spec as never));
}

/** The encoding of a table of weights: who reads (a row) from whom (a column), and how much. */
export const heatMap = {
  width: 240,
  mark: "rect",
  encoding: {
    x: { field: "from", type: "ordinal", title: "token that is read" },
    y: { field: "reader", type: "ordinal", title: "token that reads" },
    color: { field: "weight", type: "quantitative", scale: { scheme: "blues" } },
  },
};

/** The axis of growing contexts. */
export const contextAxis = {
  field: "tokens",
  type: "quantitative",
  scale: { type: "log", base: 2 },
  axis: { format: "~s" },
  title: "tokens of context",
};
