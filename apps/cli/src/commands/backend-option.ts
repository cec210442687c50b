import { Option } from "commander";

/** `--backend`, or the environment's LEVIN_BACKEND. */
export function backendOption(): Option {
  return new Option("--backend <name>", "wasm, webgpu, cpu or tensorflow")
    .env("LEVIN_BACKEND")
    .default("wasm");
}
