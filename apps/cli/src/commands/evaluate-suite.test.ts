import { Command } from "commander";
import { expect, it } from "vitest";
import { addSuites } from "./evaluate-suite.ts";

/** What `levin eval glue` says of a flag. */
function saidOf(flag: string, value: string): string {
  const said: string[] = [];
  const program = new Command().exitOverride();
  addSuites(program);
  for (const command of program.commands) {
    command.exitOverride().configureOutput({ writeErr: (text) => void said.push(text) });
  }
  expect(() => program.parse(["glue", "--data", "none", flag, value], { from: "user" })).toThrow(
    flag,
  );
  return said.join("");
}

it.each([
  ["--epochs", "0", /expected a number above 0, found "0"/],
  ["--learning-rate", "-1", /expected a number above 0, found "-1"/],
  ["--learning-rate", "fast", /expected a number, found "fast"/],
  ["--max-tokens", "0", /expected a whole number from 1, found "0"/],
  ["--thinking-budget", "-1", /expected a whole number from 0, found "-1"/],
])("%s %s would measure nothing", (flag, value, message) => {
  expect(saidOf(flag, value)).toMatch(message);
});
