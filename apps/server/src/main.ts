#!/usr/bin/env node
import { runWorkerCommand } from "./jobs/worker-command.ts";
import { runKeysCommand } from "./security/keys-command.ts";
import { runServeCommand } from "./serve-command.ts";

try {
  const [command, ...rest] = process.argv.slice(2);
  if (command === "keys") console.log(runKeysCommand(rest));
  else if (command === "worker") await runWorkerCommand(rest);
  else await runServeCommand(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
