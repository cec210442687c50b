// The whole check, as `npm test` and CI run it. `--quick` leaves out what needs a build or a browser.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(import.meta.url), "../..");
const quick = process.argv.includes("--quick");
const report = join(root, "node_modules/.cache/levin-vitest.json");

/** Name and command of each step; all run, so that one failure does not hide another. */
const steps = [
  ...(quick
    ? []
    : [
        ["browser", "node", "tooling/ensure-browser.mjs"],
        ["vulkan", "node", "tooling/ensure-vulkan.mjs"],
        ["redis", "node", "tooling/ensure-redis.mjs"],
      ]),
  ["build", "turbo", "run", "build", "--output-logs=errors-only"],
  ["types of tests", "tsc", "-p", "tsconfig.test.json"],
  ["lint", "oxlint", "--type-aware"],
  ["format", "oxfmt", "--check"],
  ["unused code", "knip"],
  ...(quick
    ? []
    : [["shape of packages", "turbo", "run", "check:package", "--output-logs=errors-only"]]),
  [
    "tests",
    "vitest",
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ],
];

const failed = [];
for (const [name, program, ...args] of steps) {
  const started = Date.now();
  const { status } = spawnSync(program, args, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (status !== 0) failed.push(name);
}

const tests = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : {};
const otherFailures = failed.filter((name) => name !== "tests");
if (failed.length > 0) console.log(`\nfailed: ${failed.join(", ")}`);
const passed = (tests.numPassedTests ?? 0) + steps.length - 1 - otherFailures.length;
const broken = (tests.numFailedTests ?? 0) + failed.length;
console.log(`\n${passed} passed, ${broken} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;
