import { closing, serveRun, trainingPort } from "../training/serve-run.ts";

/** Aborts at the first signal to end; a second one ends the process at once. */
export function endOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => controller.abort());
  }
  return controller.signal;
}

/** Shows the curves of a directory while it is trained into, where `--live` asks for it. */
export async function whileShown(
  directory: string,
  live: number | true | undefined,
  train: () => Promise<void>,
): Promise<void> {
  const port = live === true ? trainingPort : live;
  const server = port === undefined ? undefined : await serveRun(directory, port);
  if (server) console.error(`levin: this training is shown at ${server.url}`);
  await closing(server, train);
}
