import { expect, it } from "vitest";
import golden from "./__fixtures__/sequence-ratio.json" with { type: "json" };
import { sequenceRatio } from "./sequence-ratio.ts";

it.each(golden.map((each, number) => ({ ...each, number })))(
  "gives the ratio of Python's difflib: pair $number",
  ({ first, second, ratio }) => expect(sequenceRatio(first, second)).toBe(ratio),
);
