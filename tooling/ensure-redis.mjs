// Finds a Redis for the tests of batches; installs Debian's where it may.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { redisServerPath } from "./redis-server.ts";

const found = redisServerPath;

if (!found() && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
  console.log("installing redis-server for the tests of batches …");
  spawnSync("apt-get", ["update", "-qq"], { stdio: "ignore" });
  // Its service must not start: tests have servers of their own.
  const env = { ...process.env, RUNLEVEL: "1" };
  const install = ["install", "-y", "-qq", "--no-install-recommends", "redis-server"];
  spawnSync("apt-get", install, { stdio: "ignore", env });
}
console.log(found() ? `redis: ${found()}` : "no redis-server found: tests of batches are skipped");
if (!found() && process.env["CI"]) process.exitCode = 1;
