import { describe, expect, it } from "vitest";
import { checkJsonShape } from "./json-shape.ts";

const check = (json: string): void => checkJsonShape(Buffer.from(json));

describe("the shape of JSON", () => {
  it.each([
    ["nested too deeply", "[".repeat(129), "128 deep"],
    ["of too many lists", `[${"[],".repeat(100_000)}1]`, "100000 lists, objects and names"],
    ["of too many names", `{${'"a":1,'.repeat(100_000)}"a":1}`, "100000 lists, objects and names"],
    ["of too many items", `[${"1,".repeat(1_100_001)}1]`, "1100000 items"],
  ])("is refused when it is %s", (_, json, message) => {
    expect(() => check(json)).toThrow(message);
  });

  it.each([
    ["deep, but not too deep", "[".repeat(128) + "]".repeat(128)],
    ["in lists beside each other", "[[[]],".repeat(100) + "1" + "]".repeat(100)],
    ["in texts", JSON.stringify({ text: '[{":,'.repeat(500_000) })],
    ["in texts with quotes and backslashes", JSON.stringify(`"\\${"[".repeat(200)}\\"`)],
    ["in a text that does not end", `"${"[".repeat(200)}\\`],
  ])("is right when marks are %s", (_, json) => {
    expect(() => check(json)).not.toThrow();
  });
});
