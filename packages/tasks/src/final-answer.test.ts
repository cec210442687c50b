import { describe, expect, it } from "vitest";
import { answeredNumbers, answeredWords, answersNumber, finalAnswer } from "./final-answer.ts";

describe("finalAnswer", () => {
  it.each([
    ["42", "42"],
    ["  42.\n", "42"],
    ["The answer is 42.", "42"],
    ["the answer is: 42!", "42"],
    ["Answer: 42", "42"],
    ["So the sum is 42.", "42"],
    ['The reversed word is "pmal".', "pmal"],
    ["<think>\n1+1=2\n</think>\n\n42", "42"],
    ["1+1=2\n</think>\n\nThe answer is 42", "42"],
    ["<think>\n40+2=42", ""],
    ["", ""],
  ])("reads %j as %j", (text, expected) => {
    expect(finalAnswer(text)).toBe(expected);
  });
});

describe("answeredNumbers", () => {
  it.each([
    ["3 7 12", [3, 7, 12]],
    ["3, 7, 12", [3, 7, 12]],
    ["[3, 7, 12]", [3, 7, 12]],
    ["4,821", [4821]],
    ["−26", [-26]],
    ["-26", [-26]],
    ["42 apples", [42]],
    ["4.5", [4.5]],
    ["none", []],
  ])("finds in %j %j", (text, expected) => {
    expect(answeredNumbers(text)).toEqual(expected);
  });

  it("refuses a second number beside the right one", () => {
    expect(answersNumber("42", 42)).toBe(true);
    expect(answersNumber("41 or 42", 42)).toBe(false);
    expect(answersNumber("42 43", 42)).toBe(false);
  });
});

describe("answeredWords", () => {
  it("parts words by spaces and commas, whatever their case", () => {
    expect(answeredWords("Cat, dog sun.")).toEqual(["cat", "dog", "sun"]);
  });
});
