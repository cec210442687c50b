import type * as tf from "@tensorflow/tfjs-core";
import { vi } from "vitest";
import { selectBackend } from "../node.ts";
import { FusedEngine } from "../wasm/fused-engine.ts";
import { spawnNodeWorker } from "../wasm/node-threads.ts";
import type { FusedKernel } from "../wasm/register-fused.ts";

/** Runs a fused kernel; the numbers of each result. */
export type RunFused = (
  kernel: FusedKernel,
  inputs: Record<string, tf.Tensor>,
  attributes: object,
) => Float32Array[];

/** Engines of one and of two threads on the wasm backend, the workers of the second ready. */
export async function oneAndTwoThreads(): Promise<[RunFused, RunFused]> {
  await selectBackend("wasm");
  const one = new FusedEngine({ threads: 1, maySleep: true });
  const two = new FusedEngine({ threads: 2, maySleep: true, spawn: spawnNodeWorker });
  await vi.waitUntil(() => two.threads === 2);
  const runOn =
    (engine: FusedEngine): RunFused =>
    (kernel, inputs, attributes) =>
      kernel
        .run(engine, inputs, attributes as never)
        .map((result) => Float32Array.from(engine.floats(result)));
  return [runOn(one), runOn(two)];
}
