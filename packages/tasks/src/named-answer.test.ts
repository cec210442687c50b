import { describe, expect, it } from "vitest";
import { answersName, plainWords, withoutLeadIn } from "./named-answer.ts";

describe("withoutLeadIn", () => {
  it.each([
    ["R R D", "R R D"],
    ["The path is: R R D.", "R R D"],
    ["The solved grid is\n1234 3412\n2143 4321", "1234 3412\n2143 4321"],
    ['What is left is "a b".', "a b"],
    ["<think>\nnever closed", ""],
  ])("reads %j as %j", (text, expected) => {
    expect(withoutLeadIn(text)).toBe(expected);
  });
});

describe("answersName", () => {
  it("looks through fillers, case and context", () => {
    expect(answersName("Bob.", "Bob")).toBe(true);
    expect(answersName("bob has the ball", "Bob", ["ball"])).toBe(true);
    expect(answersName("It ends in state A.", "A")).toBe(true);
  });

  it("refuses other words and a second name", () => {
    expect(answersName("not Bob", "Bob")).toBe(false);
    expect(answersName("Bob Bob", "Bob")).toBe(false);
    expect(answersName("Bob1", "Bob")).toBe(false);
    expect(answersName("", "Bob")).toBe(false);
  });

  it("keeps words of any script apart", () => {
    expect(plainWords("Bob, Zoë!")).toEqual(["bob", "zoë"]);
  });
});
