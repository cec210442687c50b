import type { ContextReport } from "@levin/evaluation";
import { expect, it } from "vitest";
import { depthPlot, lengthPlot } from "./context-plots.ts";

const common = { count: 4, chance: 0.1, promptTokens: 900, stateBytes: 2 ** 18 };
const report: ContextReport = {
  kind: "long-context",
  settings: {},
  suites: [{ name: "needle", title: "One fact in a long text" }],
  models: ["hybrid", "softmax"].map((model) => ({
    model,
    beyond: [],
    results: [1024, 4096].flatMap((length) => [
      { ...common, suite: "needle", length, score: 0.6 },
      { ...common, suite: "needle", length, depth: 0, score: 0.25 },
      { ...common, suite: "needle", length, depth: 1, score: 0.75 },
    ]),
  })),
};

it("maps every length and depth of every model", async () => {
  const svg = await depthPlot(report);
  for (const text of ["needle", "hybrid", "softmax", "1K", "4K", "0", "100", "25%", "75%"]) {
    expect(svg).toContain(`>${text}</text>`);
  }
  expect(svg.match(/aria-roledescription="rect mark"/g)).toHaveLength(8);
  expect(svg).not.toContain(">60%</text>");
});

it("draws scores by length beside chance, and memory", async () => {
  const svg = await lengthPlot(report);
  for (const text of ["needle", "state (bytes)", "hybrid", "softmax"]) {
    expect(svg).toContain(`>${text}</text>`);
  }
  // A point for each model and length, for scores and for memory.
  expect(svg.match(/aria-roledescription="point"/g)).toHaveLength(8);
});
