import type { Command } from "commander";
import { backendOption } from "./backend-option.ts";
import { stagesOption, toNumber } from "./generation-flags.ts";

/** `levin serve`: the OpenAI-compatible API and the chat page. */
export function addServe(program: Command): void {
  program
    .command("serve")
    .description("serve the OpenAI-compatible API and the chat page")
    .option("--model <directory>", "model directory (default: spark)")
    .option("--upstream <urls>", "serve other OpenAI-compatible engines, separated by commas")
    .option("--upstream-key-env <name>", "variable of the environment with the upstreams' key")
    .option("--port <n>", "port", toNumber, 8420)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--max-batch <n>", "answers computed together", toNumber, 8)
    .addOption(backendOption())
    .addOption(stagesOption())
    .action(async ({ upstream, upstreamKeyEnv, ...options }: ServeFlags) => {
      // Loaded here, so that other commands start without a web server.
      const { startServer, upstreamFlags } = await import("@levin/server");
      await startServer({ ...options, ...upstreamFlags(upstream, upstreamKeyEnv) });
    });
}

interface ServeFlags {
  model?: string;
  upstream?: string;
  upstreamKeyEnv?: string;
  port: number;
  host: string;
  maxBatch: number;
  backend: string;
  stages?: number;
}
