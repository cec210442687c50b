import type { SuiteReport } from "@levin/evaluation";
import { expect, it } from "vitest";
import { suitePlot } from "./suite-plot.ts";

const report = (method: string, suite: SuiteReport["suite"] = "glue"): SuiteReport => ({
  ...{ suite, method, model: "spark", settings: {}, average: null },
  entries: { measured: 2, all: 9 },
  results: ["cola", "rte"].map((task) => ({
    ...{ task, count: 10, metrics: {}, score: 0.4 },
    majority: { count: 10, metrics: {}, score: 0.5 },
  })),
});

it("plots every task of every report, beside answering alike", async () => {
  const svg = await suitePlot([report("head"), report("likelihood")]);
  for (const text of ["CoLA", "RTE", "spark, head", "spark, likelihood"]) {
    expect(svg).toContain(`>${text}</text>`);
  }
  expect(svg.match(/aria-roledescription="bar"/g)).toHaveLength(4);
});

it("refuses reports whose bars would hide one another", () => {
  expect(() => suitePlot([report("head"), report("head")])).toThrow(
    "found glue of spark by head, glue of spark by head",
  );
  expect(() => suitePlot([report("head"), report("head", "superglue")])).toThrow(/of one suite/);
});
