import { parentPort, workerData } from "node:worker_threads";

/* One thread of a measurement of limits: works when told to, and says when it is done. */

/** Work of one thread: bytes to read from an address on, or rounds of multiply-adds. */
export type LimitsTask = { address: number; bytes: number } | { rounds: number };

export interface LimitsExports {
  read: (address: number, bytes: number) => number;
  multiplyAdd: (rounds: number, factor: number, term: number) => number;
  FLOPS_PER_ROUND: WebAssembly.Global;
}

const { module, memory } = workerData as {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
};
const exports = new WebAssembly.Instance(module, { env: { memory } })
  .exports as unknown as LimitsExports;

parentPort!.on("message", (task: LimitsTask) => {
  const result =
    "rounds" in task
      ? exports.multiplyAdd(task.rounds, 0.5, 1e-9)
      : exports.read(task.address, task.bytes);
  parentPort!.postMessage(result, []);
});
