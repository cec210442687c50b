import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import type { SpawnWorker } from "./fused-engine.ts";

const workerSource = `
  const { module, memory, control, index } = require("node:worker_threads").workerData;
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  exports.setControl(control, 1);
  exports.work(index);`;

/** A worker thread of Node that never keeps the process alive. */
export const spawnNodeWorker: SpawnWorker = (start) => {
  const worker = new Worker(workerSource, { eval: true, workerData: start });
  // One that cannot start leaves the work to the main thread; without a listener it would end the process.
  worker.on("error", () => {});
  worker.unref();
};

/**
 * Starts the wasm backend with its threaded build, whose memory is shared. tfjs turns that build off
 * in Node because its own threads need a browser; our kernels bring their own, so its workers are
 * replaced by stand-ins that say they are ready and are never given work.
 */
export async function startSharedWasmBackend(): Promise<boolean> {
  const threads = createRequire(import.meta.url)("node:worker_threads") as Record<string, unknown>;
  const original = threads["Worker"];
  threads["Worker"] = IdleWorker;
  try {
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", true);
    return await tf.setBackend("wasm");
  } finally {
    threads["Worker"] = original;
  }
}

/** What Emscripten expects of a worker that has loaded its module. */
class IdleWorker {
  readonly #listeners: ((message: unknown) => void)[] = [];

  on(event: string, listener: (message: unknown) => void): void {
    if (event === "message") this.#listeners.push(listener);
  }

  postMessage({ cmd }: { cmd: string }): void {
    if (cmd !== "load")
      throw new Error(`tfjs wasm: expected no work for its threads, found ${cmd}`);
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener({ cmd: "loaded" });
    });
  }

  ref(): void {}
  unref(): void {}
  terminate(): void {}
}
