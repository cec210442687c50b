import { parentPort, workerData } from "node:worker_threads";
import { loadServedModel } from "../load-served-model.ts";
import { EngineHost } from "./engine-host.ts";
import type { EngineReply, EngineRequest, EngineStart } from "./engine-message.ts";
import { LocalEngine } from "./local-engine.ts";
import { toPlainError } from "./plain-error.ts";

/* A thread with a model: the thread that serves stays free while this one computes. */

const port = parentPort!;
const reply = (message: EngineReply): void => port.postMessage(message, []);

try {
  const { load, limits } = workerData as EngineStart;
  const engine = new LocalEngine(await loadServedModel(load), limits);
  const host = new EngineHost(engine, reply);
  const handle = async (request: EngineRequest): Promise<void> => {
    await host.handle(request);
    // The other thread starts a new one, which loads the model again.
    if (!engine.isReady) process.exit(1);
  };
  port.on("message", (request: EngineRequest) => void handle(request));
  reply({ kind: "ready" });
} catch (error) {
  reply({ kind: "failed", error: toPlainError(error) });
  process.exit(1);
}
