import type { Example } from "../example.ts";

/** Rows that count upwards from a start that the step decides; the first token is the prompt. */
export function countingExamples(step: number): Example[] {
  return [5, 9, 7].map((length, row) => {
    const first = (step * 7 + row * 5) % 12;
    return {
      ids: Array.from({ length }, (_, t) => first + t),
      learned: Array.from({ length }, (_, t) => (t === 0 ? 0 : 1)),
    };
  });
}
