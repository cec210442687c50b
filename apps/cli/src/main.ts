#!/usr/bin/env node
import { createProgram } from "./program.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  // Typed errors say all there is to say; a stack is for surprises.
  const known = error instanceof Error && error.constructor !== Error && error.name !== "TypeError";
  console.error(known ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
}
