import { pino } from "pino";
import { expect, it } from "vitest";
import { tactfulLogger } from "./tactful-logger.ts";

function logged(error: Error): string {
  let text = "";
  const sink = { write: (line: string) => void (text += line) };
  tactfulLogger(pino({ level: "error" }, sink)).error({ err: error }, "failed");
  return text;
}

it("names where an error comes from, without the folders", () => {
  const text = logged(new TypeError("cannot go on"));
  expect(text).toContain('"type":"TypeError","message":"cannot go on"');
  expect(text).toMatch(/tactful-logger\.test\.ts:\d+:\d+/);
  expect(text).not.toContain(process.cwd());
});

it.each([
  ["open '/home/ada/secret/model.json'", "open 'model.json'"],
  ["open 'C:\\\\Users\\\\ada\\\\model.json'", "open 'model.json'"],
  ["at go (file:///opt/levin/main.js:3:7)", "at go (main.js:3:7)"],
  ["half and/or a/b of it: 3/4", "half and/or a/b of it: 3/4"],
])("says %s as %s", (message, bare) => {
  const { err } = JSON.parse(logged(new Error(JSON.parse(`"${message}"`) as string))) as {
    err: { message: string };
  };
  expect(err.message).toBe(bare);
});
