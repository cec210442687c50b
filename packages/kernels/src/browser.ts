import * as tf from "@tensorflow/tfjs-core";
import { maySleep, spawnBrowserWorker } from "./wasm/browser-threads.ts";
import { registerFusedKernels } from "./wasm/register-fused.ts";
import { startWebGpuBackend } from "./webgpu/start-webgpu.ts";

export { BackendUnavailableError } from "./backend-unavailable-error.ts";
export { FusedKernelError } from "./wasm/fused-engine.ts";
export { OutOfMemoryError } from "./wasm/guard-memory.ts";
export { DeviceLostError, GpuError } from "./webgpu/gpu-errors.ts";

/** What {@link startWasm} needs to know. */
export interface BrowserWasmOptions {
  /** Folder or files of `@tensorflow/tfjs-backend-wasm`'s `.wasm` files, as its `setWasmPaths` takes them. */
  wasmPaths: string | Record<string, string>;
  /** Threads in all; more than one needs a cross-origin isolated page. Default: all of the machine. */
  threads?: number;
}

/**
 * Starts tfjs's wasm backend in a page or a worker, with fused kernels.
 *
 * @returns the threads that will work once their workers have started: 1 when the page is not
 *   cross-origin isolated
 * @throws Error when the backend does not start
 */
export function startWasm(options: BrowserWasmOptions): Promise<number> {
  return (started ??= startOnce(options));
}

/** Engines and workers are started once. */
let started: Promise<number> | undefined;

async function startOnce({
  wasmPaths,
  threads = navigator.hardwareConcurrency,
}: BrowserWasmOptions): Promise<number> {
  const { setWasmPaths, setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(wasmPaths as string);
  // Our kernels bring their own threads; more of tfjs's would only compete with them.
  setThreadsCount(1);
  if (!(await tf.setBackend("wasm"))) throw new Error("the wasm backend did not start");
  const engine = registerFusedKernels({
    threads: globalThis.crossOriginIsolated ? threads : 1,
    maySleep: maySleep(),
    spawn: spawnBrowserWorker,
  });
  return engine.maxThreads;
}

/**
 * Starts tfjs's WebGPU backend in a page or a worker, with fused kernels. Called again after the device
 * was lost, it starts a new one; tensors of the old one are gone.
 *
 * @throws BackendUnavailableError when the browser offers no GPU
 */
export async function startWebGpu(): Promise<void> {
  await startWebGpuBackend(navigator.gpu);
  await tf.setBackend("webgpu");
}
