import { describe, expect, it } from "vitest";
import type { ContextPrediction } from "./answer-in-context.ts";
import { contextMarkdown, contextResults, type ContextReport } from "./context-report.ts";
import type { ContextItem } from "./context-suite.ts";

const items: ContextItem[] = [1024, 4096].flatMap((length) =>
  [0, 1].flatMap((context) =>
    [0, 0.5].map((depth, question) => ({
      id: `needle-${length}-${context}-${question}`,
      ...{ suite: "needle", length, context, question, depth },
    })),
  ),
);
/** Right at 1,024 tokens where the depth is 0, and once more. */
const predictions: ContextPrediction[] = items.map(({ id, length, context, depth }, i) => ({
  ...{ id, text: "", chance: 0.25, promptTokens: length - 100 + i, stateBytes: length * 256 },
  value: Number(length === 1024 && (depth === 0 || context === 1)),
}));

describe("results of long contexts", () => {
  const results = contextResults(items, predictions.toReversed());

  it("are means of each length, then of each depth in it", () => {
    expect(results.map(({ length, depth, count, score }) => [length, depth, count, score])).toEqual(
      [
        [1024, undefined, 4, 0.75],
        [4096, undefined, 4, 0],
        [1024, 0, 2, 1],
        [1024, 0.5, 2, 0.5],
        [4096, 0, 2, 0],
        [4096, 0.5, 2, 0],
      ],
    );
    expect(results[0]).toMatchObject({ chance: 0.25, promptTokens: 927, stateBytes: 2 ** 18 });
  });

  it("stand side by side in Markdown, with lengths that only one model has", () => {
    const twin = results.filter(({ length }) => length === 1024);
    const report: ContextReport = {
      ...{ kind: "long-context", settings: {} },
      suites: [{ name: "needle", title: "One fact in a long text" }],
      models: [
        { model: "hybrid", results, beyond: [] },
        { model: "softmax", results: twin, beyond: [4096] },
      ],
    };
    expect(contextMarkdown(report).split("\n")).toEqual([
      "# Long context: hybrid beside softmax",
      "",
      "## One fact in a long text (`needle`)",
      "",
      "| tokens | hybrid | softmax | chance | questions | state of hybrid | state of softmax |",
      "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
      "| 1,024 | 75.0 % | 75.0 % | 25.0 % | 4 | 0.25 MiB | 0.25 MiB |",
      "| 4,096 | 0.0 % | – | 25.0 % | 4 | 1.00 MiB | – |",
      "",
      "Beyond the context of softmax: 4096.",
      "",
    ]);
  });
});
