import { backendNames } from "@levin/kernels/node";
import { InvalidArgumentError, Option } from "commander";

/** `--backend`, or the environment's LEVIN_BACKEND. */
export function backendOption(): Option {
  return new Option("--backend <name>", "wasm, webgpu, native, cpu or tensorflow")
    .env("LEVIN_BACKEND")
    .default("wasm")
    .argParser(toBackend);
}

/** Checked here too, as a command may leave all computation to others. */
function toBackend(name: string): string {
  if (backendNames.some((known) => known === name)) return name;
  throw new InvalidArgumentError(
    `expected a backend of ${backendNames.join(", ")}, found "${name}"`,
  );
}
