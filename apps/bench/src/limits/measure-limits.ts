import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { limitsModule } from "./limits-module.ts";
import type { LimitsExports, LimitsTask } from "./limits-thread.ts";

/** What some threads reach together: every repetition. */
export interface Limits {
  threads: number;
  /** Memory read one address after another, GB/s. */
  read: number[];
  /** Multiply-adds of 128-bit vectors of float32, two FLOPs each, GFLOP/s. */
  multiplyAdd: number[];
}

const page = 65_536;
/** Work of each thread in a repetition. */
export interface LimitsWork {
  /** Bytes read. */
  bytes: number;
  /** Rounds of multiply-adds. */
  rounds: number;
}

/** Many times what caches hold, and some tenths of a second of multiply-adds. */
const enough: LimitsWork = { bytes: 256 * 2 ** 20, rounds: 2 ** 27 };

/** Measures memory bandwidth and the peak of multiply-adds with WASM threads, after one warm-up. */
export async function measureLimits(
  threads: number,
  repeats: number,
  { bytes, rounds } = enough,
): Promise<Limits> {
  const pages = 1 + (threads * bytes) / page;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65_536, shared: true });
  // Pages that were never written all show one and the same page of zeros.
  new Uint8Array(memory.buffer).fill(1);
  const module = await limitsModule();
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const flops = rounds * (exports as unknown as LimitsExports).FLOPS_PER_ROUND.value;
  const workers = Array.from(
    { length: threads },
    () =>
      new Worker(join(import.meta.dirname, "limits-thread.ts"), { workerData: { module, memory } }),
  );
  /** Seconds until the last thread is done. */
  const time = async (task: (index: number) => LimitsTask): Promise<number> => {
    const done = Promise.all(workers.map((worker) => once(worker, "message")));
    const started = performance.now();
    workers.forEach((worker, index) => worker.postMessage(task(index), []));
    await done;
    return (performance.now() - started) / 1000;
  };
  try {
    const limits: Limits = { threads, read: [], multiplyAdd: [] };
    for (let run = 0; run <= repeats; run++) {
      const reading = await time((index) => ({
        address: page + index * bytes,
        bytes,
      }));
      const computing = await time(() => ({ rounds }));
      if (run === 0) continue;
      limits.read.push((threads * bytes) / reading / 1e9);
      limits.multiplyAdd.push((threads * flops) / computing / 1e9);
    }
    return limits;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
