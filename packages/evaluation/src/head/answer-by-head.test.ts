import { expect, it } from "vitest";
import { glue } from "../suites/glue.ts";
import { headExamples } from "./answer-by-head.ts";

it("a head has a token to read of an empty sentence, and no more than it takes of a long one", () => {
  const sst2 = glue.tasks.find(({ name }) => name === "sst2")!;
  const items = ["", "abcdef"].map((sentence, i) => ({ id: String(i), fields: { sentence } }));
  const encode = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
  const examples = headExamples(sst2, items, { encode, maxTokens: 4 });
  expect(examples.map(({ texts }) => texts)).toEqual([[encode("\n")], [encode("cdef")]]);
});
