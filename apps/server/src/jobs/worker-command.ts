import { parseArgs } from "node:util";
import type { AnswerOptions } from "../start-server.ts";
import { answerFlags, answerOptions, answerUsage } from "../answer-flags.ts";
import { flagAmount } from "../flag-amount.ts";
import { FlagError } from "../flag-error.ts";
import { startWorker, type OtherWork } from "./start-worker.ts";

const usage = `levin-server worker, or levin worker: answers the requests of batches that servers put into a Redis;
levin worker also does the work of levin eval and levin reinforce that have the same Redis and model

  --redis URL        Redis that the servers and all workers share
  --stall-seconds N  what this worker was at is done again after so many seconds of silence
                     (default: 15)
${answerUsage}`;

/** Which model a worker has, and how it is computed. */
export type WorkerModel = Pick<AnswerOptions, "model" | "stages"> & { backend: string };

/**
 * `levin-server worker` and `levin worker`: works until it gets a signal.
 *
 * @param others what a worker with such a model does beside batches
 * @throws FlagError for a wrong flag; what `startWorker` throws
 */
export async function runWorkerCommand(
  args: string[],
  others?: (model: WorkerModel) => Promise<OtherWork[]>,
): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { ...answerFlags, redis: { type: "string" }, "stall-seconds": { type: "string" } },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  if (values.redis === undefined) {
    throw new FlagError("expected the Redis of the servers (--redis URL), found none");
  }
  const answering = answerOptions(values);
  await startWorker({
    ...answering,
    others: answering.upstreams ? [] : await others?.({ ...answering, backend: values.backend }),
    redis: values.redis,
    stallSeconds: flagAmount("stall-seconds", values["stall-seconds"]),
  });
}
