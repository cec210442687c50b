import { parseArgs } from "node:util";
import { pino } from "pino";
import { flagAmount } from "../flag-amount.ts";
import { FlagError } from "../flag-error.ts";
import { upstreamFlags } from "../upstream/upstream-flags.ts";
import { startWorker } from "./start-worker.ts";

const usage = `levin-server worker: answers the requests of batches that servers put into a Redis

  --redis URL        Redis that the servers and all workers share
  --model DIR        model directory (default: spark)
  --model-id NAME    name that requests ask for (default: the directory's)
  --backend NAME     wasm, webgpu, cpu or tensorflow (default: LEVIN_BACKEND or wasm)
  --stages N         threads with a memory of their own that share the layers
                     (default: as many as the weights need)
  --upstream URLS    ask other OpenAI-compatible engines instead, separated by commas
  --upstream-key-env NAME
                     variable of the environment that holds the key of the upstreams
  --max-batch N      requests at once (default: 8)
  --stall-seconds N  what this worker was at is done again after so many seconds of silence
                     (default: 15)
  --log-level LEVEL  fatal, error, warn, info, debug or silent (default: warn)
  --help`;

/**
 * `levin-server worker`: works until it gets a signal.
 * @throws FlagError for a wrong flag; what `startWorker` throws
 */
export async function runWorkerCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      redis: { type: "string" },
      model: { type: "string" },
      "model-id": { type: "string" },
      backend: { type: "string", default: process.env["LEVIN_BACKEND"] ?? "wasm" },
      stages: { type: "string" },
      upstream: { type: "string" },
      "upstream-key-env": { type: "string" },
      "max-batch": { type: "string" },
      "stall-seconds": { type: "string" },
      "log-level": { type: "string", default: "warn" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  if (values.redis === undefined) {
    throw new FlagError("expected the Redis of the servers (--redis URL), found none");
  }
  await startWorker({
    redis: values.redis,
    model: values.model,
    modelId: values["model-id"],
    backend: values.backend,
    stages: flagAmount("stages", values.stages),
    ...upstreamFlags(values.upstream, values["upstream-key-env"]),
    maxBatch: flagAmount("max-batch", values["max-batch"]),
    stallSeconds: flagAmount("stall-seconds", values["stall-seconds"]),
    logger: pino({ level: values["log-level"] }, process.stderr),
  });
}
