import { describe, expect, it } from "vitest";
import { evaluate } from "../page/src/tools/exact-arithmetic.ts";
import { resultOf } from "../page/src/tools/run-tools.ts";

describe("the calculator of the chat page", () => {
  it.each([
    ["6284 + 2967", "9251"],
    ["0.1 + 0.2", "0.3"],
    ["2 - 3 - 4", "-5"],
    ["2 + 3 * 4 - 6 / 4", "12.5"],
    ["-2 ^ 2", "-4"],
    ["2 ^ 3 ^ 2", "512"],
    ["2 ** -2", "0.25"],
    ["(1 + 2) × (3 − 5) ÷ 4", "-1.5"],
    ["1,234,567 * .5", "617283.5"],
    ["1 / 3", "1/3 ≈ 0.333333333333"],
    ["-22 / 7", "-22/7 ≈ -3.142857142857"],
    ["0.5 ^ 20", "0.00000095367431640625"],
    ["2 ^ 100", "1267650600228229401496703205376"],
    ["99999999999999999999 * 99999999999999999999", "9999999999999999999800000000000000000001"],
  ])("knows that %s is %s", (expression, value) => {
    expect(evaluate(expression)).toBe(value);
  });

  it.each([
    ["1 / (2 - 2)", "cannot divide by zero"],
    ["0 ^ -1", "cannot divide by zero"],
    ["2 ^ 0.5", "expected a whole exponent: roots are not exact"],
    ["9 ^ 9 ^ 9", "the power is too large"],
    ["2 +", "expected a number, found the end"],
    ["(1 + 2", 'expected ")", found the end'],
    ["2 3", 'expected an operator, found "3"'],
    ["alert(1)", 'expected a number, found "alert(1)"'],
    ["1".repeat(1001), "expected at most 1000 characters, found 1001"],
  ])("refuses %s", (expression, message) => {
    expect(() => evaluate(expression)).toThrow(message);
  });
});

describe("a call of a tool of the chat page", () => {
  const call = (name: string, json: string) => resultOf({ id: "1", name, arguments: json });

  it("has a result, or the words for what is wrong with it", () => {
    expect(call("calculate", '{"expression": "1 + 2"}')).toBe("3");
    expect(call("calculate", '{"expression": 3}')).toBe('error: expected a text "expression"');
    expect(call("calculate", '{"expression"')).toMatch(/^error: .*JSON/);
  });

  it("tells the time here, without arguments too, and in another zone", () => {
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    const before = Date.now();
    const [, zone, time] = /\((.*)\); (.*)$/.exec(call("current_time", "")!)!;
    expect(zone).toBe(timeZone);
    expect(Date.parse(time!)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(time!)).toBeLessThanOrEqual(Date.now());
    expect(call("current_time", '{"timezone": "Asia/Tokyo"}')).toContain("(Asia/Tokyo); ");
    expect(call("current_time", '{"timezone": "Mars"}')).toMatch(/^error: .*Mars/);
  });

  it("is left to whoever chats where the tool is not the page's", () => {
    expect(call("weather", "{}")).toBeUndefined();
  });
});
