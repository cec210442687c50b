#!/usr/bin/env node
import { createProgram } from "./program.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  // Typed errors say all there is to say; a stack is for surprises.
  const known =
    error instanceof Error &&
    ((error.constructor !== Error && error.name !== "TypeError") ||
      isOfFlags(error) ||
      // Of the system, such as ENOENT: it names what was done and the file.
      "syscall" in error);
  console.error(known ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
}

/** Node's own errors about unknown flags are types of its own in name only. */
function isOfFlags(error: Error): boolean {
  return "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
}
