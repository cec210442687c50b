import { describe, expect, it } from "vitest";
import { glue } from "./glue.ts";
import { superglue } from "./superglue.ts";

const of = (suite: typeof glue, name: string, ...args: [string, number, string?][]): string =>
  suite.submission(
    suite.tasks.find((task) => task.name === name)!,
    args.map(([id, value, text]) => ({ id, value, ...(text !== undefined && { text }) })),
  );

describe("submission files", () => {
  it("of GLUE have the names of classes, and scores within their bounds", () => {
    expect(of(glue, "cola", ["0", 1], ["1", 0])).toBe("index\tprediction\n0\t1\n1\t0\n");
    expect(of(glue, "mnli-m", ["0", 2], ["1", 1])).toBe(
      "index\tprediction\n0\tcontradiction\n1\tneutral\n",
    );
    expect(of(glue, "rte", ["7", 1])).toBe("index\tprediction\n7\tnot_entailment\n");
    expect(of(glue, "stsb", ["0", 2.34567], ["1", 5.2], ["2", -1])).toBe(
      "index\tprediction\n0\t2.346\n1\t5.000\n2\t0.000\n",
    );
  });

  it("of SuperGLUE are records of idx and label, in each task's own words", () => {
    expect(of(superglue, "boolq", ["3", 1])).toBe('{"idx":3,"label":"true"}\n');
    expect(of(superglue, "wsc", ["3", 0])).toBe('{"idx":3,"label":"False"}\n');
    expect(of(superglue, "copa", ["0", 1])).toBe('{"idx":0,"label":1}\n');
    expect(of(superglue, "cb", ["0", 1])).toBe('{"idx":0,"label":"contradiction"}\n');
    expect(of(superglue, "record", ["5", 2, "Kim Sun"])).toBe('{"idx":5,"label":"Kim Sun"}\n');
  });

  it("of MultiRC put answers back into questions and paragraphs", () => {
    const lines = of(superglue, "multirc", ["1-2-5", 1], ["1-2-6", 0], ["1-3-7", 1], ["4-5-9", 0]);
    expect(
      lines
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      {
        idx: 1,
        passage: {
          questions: [
            {
              idx: 2,
              answers: [
                { idx: 5, label: 1 },
                { idx: 6, label: 0 },
              ],
            },
            { idx: 3, answers: [{ idx: 7, label: 1 }] },
          ],
        },
      },
      { idx: 4, passage: { questions: [{ idx: 5, answers: [{ idx: 9, label: 0 }] }] } },
    ]);
  });

  it("take the first class where no answer could be read", () => {
    expect(of(glue, "qnli", ["0", -1])).toBe("index\tprediction\n0\tentailment\n");
    expect(of(superglue, "copa", ["0", -1])).toBe('{"idx":0,"label":0}\n');
  });
});
