// Finds a Chromium for the tests of the page; installs Debian's where it may.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const candidates = [
  process.env["CHROMIUM_PATH"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const found = () => candidates.find((path) => path !== undefined && existsSync(path));

if (!found() && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
  console.log("installing chromium for the tests of the page …");
  spawnSync("apt-get", ["update", "-qq"], { stdio: "ignore" });
  spawnSync("apt-get", ["install", "-y", "-qq", "chromium"], { stdio: "ignore" });
}
console.log(found() ? `browser: ${found()}` : "no browser found: tests of the page are skipped");
if (!found() && process.env["CI"]) process.exitCode = 1;
