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
    .option("--redis <url>", "Redis for files and batches, shared with `levin-server worker`")
    .option("--port <n>", "port", toNumber, 8420)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--keys <directory>", "folder of API keys (default: LEVIN_KEYS or ~/.levin/keys)")
    .option("--insecure", "listen where other machines can ask without an API key too")
    .option("--allow-host <name...>", "names by which clients reach the server without a key")
    .option("--cors <origin...>", "origins of web pages that may ask")
    .option("--body-limit <n>", "bytes of the largest request", toNumber)
    .option("--max-prompt-tokens <n>", "refuse longer prompts", toNumber)
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
  redis?: string;
  port: number;
  host: string;
  keys?: string;
  insecure?: boolean;
  allowHost?: string[];
  cors?: string[];
  bodyLimit?: number;
  maxPromptTokens?: number;
  maxBatch: number;
  backend: string;
  stages?: number;
}
