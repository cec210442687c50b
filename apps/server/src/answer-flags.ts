import { pino } from "pino";
import { flagAmount } from "./flag-amount.ts";
import type { AnswerOptions } from "./start-server.ts";
import { upstreamFlags } from "./upstream/upstream-flags.ts";

/** Flags about what answers requests, as `parseArgs` takes them; of servers and workers alike. */
export const answerFlags = {
  model: { type: "string" },
  "model-id": { type: "string" },
  backend: { type: "string", default: process.env["LEVIN_BACKEND"] ?? "wasm" },
  stages: { type: "string" },
  upstream: { type: "string" },
  "upstream-key-env": { type: "string" },
  "max-batch": { type: "string" },
  "log-level": { type: "string", default: "warn" },
  help: { type: "boolean" },
} as const;

/** Lines that explain them. */
export const answerUsage = `  --model DIR        model directory (default: spark)
  --model-id NAME    name that requests ask for (default: the directory's)
  --backend NAME     wasm, webgpu, native, cpu or tensorflow (default: LEVIN_BACKEND or wasm)
  --stages N         threads with a memory of their own that share the layers
                     (default: as many as the weights need)
  --upstream URLS    ask other OpenAI-compatible engines instead, separated by commas
  --upstream-key-env NAME
                     variable of the environment that holds the key of the upstreams
  --max-batch N      answers computed together (default: 8)
  --log-level LEVEL  fatal, error, warn, info, debug or silent (default: warn)
  --help`;

type AnswerFlags = { [Flag in keyof typeof answerFlags]?: string | boolean | undefined };

/** @throws FlagError for an amount that is none; UpstreamUrlError */
export function answerOptions(values: AnswerFlags): AnswerOptions {
  const text = (flag: keyof AnswerFlags) => values[flag] as string | undefined;
  return {
    model: text("model"),
    modelId: text("model-id"),
    backend: text("backend"),
    stages: flagAmount("stages", text("stages")),
    ...upstreamFlags(text("upstream"), text("upstream-key-env")),
    maxBatch: flagAmount("max-batch", text("max-batch")),
    logger: pino({ level: text("log-level") ?? "warn" }, process.stderr),
  };
}
