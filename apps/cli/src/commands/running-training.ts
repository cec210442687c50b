import type { RunServer } from "../training/serve-run.ts";

/** Port of a training's page, next to the chat's. */
export const trainingPort = 8421;

/** Aborts at the first signal to end; a second one ends the process at once. */
export function endOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => controller.abort());
  }
  return controller.signal;
}

/** Says that a run was stopped which keeps what it did, and ends with the exit code of Ctrl-C. */
export function sayStopped(): void {
  console.error("stopped; the same command goes on from here");
  process.exitCode = 130;
}

/** Shows the curves of a directory while it is trained into, where `--live` asks for it. */
export async function whileShown(
  directory: string,
  live: number | true | undefined,
  train: () => Promise<void>,
): Promise<void> {
  const port = live === true ? trainingPort : live;
  const server = port === undefined ? undefined : await showRun(directory, port);
  if (server) console.error(`levin: this training is shown at ${server.url}`);
  try {
    await train();
  } finally {
    await server?.close();
  }
}

/** Serves the page of a training; loaded here, so that other commands start without a web server. */
export async function showRun(directory: string, port: number): Promise<RunServer> {
  const { serveRun } = await import("../training/serve-run.ts");
  return serveRun(directory, port);
}
