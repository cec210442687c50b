import { z } from "zod";
import { DataError, shown } from "../data/data-error.ts";
import { parseJsonLines, type JsonLine } from "../data/json-lines.ts";
import type { SourceFile } from "../data/table.ts";
import { boxedAnswer } from "./math-answer.ts";

/** A problem in words with its answer. */
export interface MathProblem {
  /** Number of its line, from 0 on, or what the file calls it; no two are the same. */
  id: string;
  question: string;
  /** The bare answer, such as `42` or `\frac{1}{2}`. */
  answer: string;
  /** How it is found, where the file tells. */
  solution?: string;
}

const text = z.union([z.string(), z.number().transform(String)]);
const record = z
  .object({
    question: z.string().optional(),
    problem: z.string().optional(),
    answer: text.optional(),
    solution: z.string().optional(),
    unique_id: z.string().optional(),
    id: text.optional(),
  })
  .refine(({ question, problem }) => question !== undefined || problem !== undefined, {
    error: "expected question or problem",
  });

/**
 * Problems of a file with a JSON object a line: GSM8K's `{ question, answer }`, where `####` stands before
 * the number, and `{ problem, answer }` of MATH-500 and of AIME's copies, or `{ problem, solution }` of
 * MATH, where the answer is boxed.
 *
 * @throws DataError when a line is not of these kinds, or has no answer
 */
export function parseMathProblems(file: SourceFile): MathProblem[] {
  const ids = new Set<string>();
  return parseJsonLines(file, record).map((line, i) => {
    const { question, problem, unique_id: unique, id: own } = line.value;
    const { answer, solution } = answerOf(line);
    let id = unique ?? own ?? String(i);
    // Files that were put together may number their problems twice.
    while (ids.has(id)) id += `:${i}`;
    ids.add(id);
    return {
      id,
      question: question ?? problem!,
      answer,
      ...(solution !== undefined && { solution }),
    };
  });
}

function answerOf({ value, ...place }: JsonLine<z.output<typeof record>>): {
  answer: string;
  solution?: string | undefined;
} {
  const { answer, solution } = value;
  const [worked, marked] = answer?.split("####") ?? [];
  if (marked !== undefined && marked.trim() !== "") {
    return { answer: marked.trim(), solution: withoutCalculations(worked!) };
  }
  if (value.question !== undefined && value.problem === undefined && answer?.includes("\n")) {
    throw new DataError(place, 'an answer behind "####"', shown(answer));
  }
  const found = answer ?? (solution === undefined ? undefined : boxedAnswer(solution));
  if (found === undefined || found.trim() === "") {
    throw new DataError(
      place,
      "an answer, or a solution with \\boxed{…}",
      shown(answer ?? solution),
    );
  }
  return { answer: found.trim(), solution };
}

/** GSM8K's solutions without what a calculator would be asked: `<<2*3=6>>`. */
function withoutCalculations(solution: string): string {
  return solution.replace(/<<[^<>]*>>/g, "").trim();
}
