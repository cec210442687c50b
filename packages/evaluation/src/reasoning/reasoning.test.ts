import { readFileSync } from "node:fs";
import { addition, createRandom, wilsonInterval, type Problem } from "@levin/tasks";
import { describe, expect, it } from "vitest";
import { DataError } from "../data/data-error.ts";
import { boxedAnswer, isSameMathAnswer, mathAnswer, mathAnswerKey } from "./math-answer.ts";
import { parseMathProblems } from "./math-problems.ts";
import { mathReasoningProblems, taskProblems } from "./reasoning-problem.ts";
import { scoreSamples } from "./score-samples.ts";

const read = (name: string) => {
  const url = new URL(`../__fixtures__/reasoning/${name}.jsonl`, import.meta.url);
  return parseMathProblems({ name, text: readFileSync(url, "utf8") });
};

describe("files of problems", () => {
  it("GSM8K's have the answer behind ####, and calculations that are left out", () => {
    const problems = read("gsm8k");
    expect(problems.map(({ id, answer }) => [id, answer])).toEqual([
      ["0", "30"],
      ["1", "1,070,000"],
      ["2", "-5"],
    ]);
    expect(problems[0]!.solution).toBe("Mia has 3*12=36 marbles.\nShe keeps 36-6=30 marbles.");
  });

  it("MATH's and AIME's have problem with answer, or a solution with a box", () => {
    expect(read("math").map(({ id, answer }) => [id, answer])).toEqual([
      ["test/prealgebra/1.json", "\\frac{3}{4}"],
      ["1", "2\\sqrt{2}"],
      ["7", "1"],
    ]);
  });

  it("has an id for each problem, also where files were put together", () => {
    const line = (id: number) => JSON.stringify({ id, problem: "1+1", answer: "2" });
    const text = [line(1), line(2), line(1), line(1)].join("\n");
    const ids = parseMathProblems({ name: "aime.jsonl", text }).map(({ id }) => id);
    expect(ids.slice(0, 2)).toEqual(["1", "2"]);
    expect(new Set(ids).size).toBe(4);
  });

  it.each([
    ['{"answer": "#### 3"}', "expected question or problem"],
    ['{"question": "2+2?", "answer": "It is 4.\\nSo 4."}', 'expected an answer behind "####"'],
    ['{"problem": "2+2?"}', "expected an answer, or a solution with \\boxed{…}"],
    ['{"problem": "2+2?", "solution": "It is 4."}', 'found "It is 4."'],
    ["2+2", "expected a JSON object"],
  ])("names file, line and what is wrong: %s", (text, message) => {
    const parse = () => parseMathProblems({ name: "own.jsonl", text: `\n${text}\n` });
    expect(parse).toThrow(DataError);
    expect(parse).toThrow(message);
    if (text.startsWith("{")) expect(parse).toThrow("own.jsonl:2:");
  });
});

describe("answers of solutions", () => {
  it.each([
    ["So it is \\boxed{12}.", "12"],
    ["First \\boxed{1}, then \\boxed{\\frac{a}{\\sqrt{b}}}, done.", "\\frac{a}{\\sqrt{b}}"],
    ["<think>\n\\boxed{3}\n</think>\n\nIt is 4", "4"],
    ["<think>\nIt may be 3", ""],
    ["She has 3+4=7.\n#### 7", "7"],
    ["The answer is 1,024 apples.", "1,024"],
    ["The answer is: $\\frac12$.", "$\\frac12$"],
    ["The answer is 2. No, the answer is (C).", "(C)"],
    ["She sold 5 at $2, which is $10.", "$10"],
    ["I do not know.", ""],
    ["Between 10-12 eggs", "12"],
    ["It is $-5.", "-5"],
    ["The answer is 5. The answer is", "5"],
    ["An open \\boxed{1", "1"],
  ])("%j gives %j", (reply, answer) => expect(mathAnswer(reply)).toBe(answer));

  it("is found in long replies as fast as they are long", () => {
    const reply = "One more step. ".repeat(20_000);
    const start = performance.now();
    expect(mathAnswer(`${reply}The answer is 7.\n${reply}`)).toBe("7");
    // The square of the length would be minutes.
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("no box is no answer of one", () => expect(boxedAnswer("2")).toBeUndefined());

  it.each([
    ["42", "42.0"],
    ["1,070,000", "$1070000"],
    ["\\frac{1}{2}", "0.5"],
    ["\\dfrac12", "1/2"],
    ["-\\frac{3}{4}", "-0.75"],
    ["\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\frac{\\pi}{2})"],
    ["\\text{Monday}", "monday"],
    ["25\\%", "25"],
    ["90^\\circ", "90"],
    [".5", "0.50"],
    ["−5", "-5"],
    ["3\\sqrt2", "3\\sqrt{2}"],
    ["10{,}000", "10000"],
    ["5\\text{ cm}^2", "5"],
    ["12\\,\\mathrm{m}", "12"],
    ["x = 5", "+5"],
    ["\\mathbf{5}", "5"],
    ["0012345678901234567890", "12345678901234567890"],
  ])("%j is %j", (one, other) => {
    expect(isSameMathAnswer(one, other)).toBe(true);
    expect(mathAnswerKey(one)).toBe(mathAnswerKey(other));
  });

  it.each([
    ["(1,234)", "(1234)"],
    ["9007199254740992", "9007199254740993"],
    ["\\text{east}", "\\text{west}"],
    ["x=5", "y=6"],
    ["42", "4"],
    ["", ""],
    ["\\frac{1}{2}", "\\frac{2}{1}"],
    ["2\\sqrt{2}", "2\\sqrt{3}"],
    ["1,07", "107"],
  ])("%j is not %j", (one, other) => expect(isSameMathAnswer(one, other)).toBe(false));
});

describe("problems of a reasoning suite", () => {
  it("of a file stand behind worked examples, each with the instruction", () => {
    const problems = read("gsm8k");
    const [asked] = mathReasoningProblems("gsm8k", problems.slice(1), {
      instruction: " Box it.",
      examples: problems.slice(0, 1),
    });
    expect(asked!.turns).toEqual([
      { role: "user", content: `${problems[0]!.question} Box it.` },
      {
        role: "assistant",
        content: "Mia has 3*12=36 marbles.\nShe keeps 36-6=30 marbles.\n\\boxed{30}",
      },
      { role: "user", content: `${problems[1]!.question} Box it.` },
    ]);
    expect(asked!.isRight("It is $1070000.")).toBe(true);
    expect(asked!.isRight("It is 1070000.5.")).toBe(false);
    expect(asked!.keyOf("So \\boxed{7.0}")).toBe("7");
  });

  it("of a task are judged by its verifier", () => {
    const problem: Problem = addition.generate(createRandom(1), 0.5);
    const [asked] = taskProblems([problem]);
    expect(asked).toMatchObject({ suite: "addition", turns: [{ content: problem.prompt }] });
    expect([asked!.isRight(problem.answer), asked!.isRight("no")]).toEqual([true, false]);
  });
});

describe("scores of samples", () => {
  /** Samples of a problem, told by their keys; "r" is right. */
  const samplesOf = (problem: string, keys: string) =>
    Array.from(keys, (key) => ({ problem, isRight: key === "r", key: key === "-" ? "" : key }));

  it("count each sample, k of them without bias, and the majority", () => {
    const samples = [
      ...samplesOf("a", "rrxy"),
      ...samplesOf("b", "rxxx"),
      ...samplesOf("c", "--r-"),
      ...samplesOf("d", "xxyz"),
    ];
    const score = scoreSamples("own", samples);
    expect(score).toMatchObject({ suite: "own", problems: 4, samples: 4, accuracy: 4 / 16 });
    expect(score.passAt[1]).toBeCloseTo(score.accuracy, 12);
    // Two of four without replacement: all wrong for a in 1 of 6, for b and c in 3 of 6 pairs.
    expect(score.passAt[2]).toBeCloseTo((5 / 6 + 1 / 2 + 1 / 2 + 0) / 4, 12);
    expect(score.passAt[4]).toBeCloseTo(3 / 4, 12);
    expect(score.majority).toBe(2 / 4);
  });

  it.each([
    // Samples of a problem that always agree say no more than one of them.
    ["rrrr wwww rrrr wwww", 4],
    // Half of each are right: the problems do not differ.
    ["rrww wrwr wwrr rwrw", 16],
    // In between: variance of the shares 1, ½, ½, 0 is ⅛, of their mean 1/32, and ½ · ½ · 32 = 8.
    ["rrrr rrww wrwr wwww", 8],
    // All wrong tells nothing of how much samples differ.
    ["wwww wwww wwww wwww", 4],
  ])("counts samples by what they are worth: %s", (replies, trials) => {
    const samples = replies.split(" ").flatMap((text, problem) =>
      Array.from(text, (reply) => ({
        ...{ problem: String(problem), isRight: reply === "r", key: reply },
      })),
    );
    const { accuracy, lower, upper } = scoreSamples("own", samples);
    const expected = wilsonInterval(accuracy * trials, trials);
    expect(lower).toBeCloseTo(expected.lower, 12);
    expect(upper).toBeCloseTo(expected.upper, 12);
  });
});
