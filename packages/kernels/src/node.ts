import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { BackendUnavailableError } from "./backend-unavailable-error.ts";
import { loadNativeAddon } from "./native/native-addon.ts";
import { registerNativeKernels } from "./native/register-native.ts";
import { registerTensorFlowKernels } from "./tensorflow/register-tensorflow.ts";
import type { FusedEngine } from "./wasm/fused-engine.ts";
import { spawnNodeWorker, startSharedWasmBackend } from "./wasm/node-threads.ts";
import { registerFusedKernels } from "./wasm/register-fused.ts";
import { gpuOfNode } from "./webgpu/node-gpu.ts";
import { startWebGpuBackend } from "./webgpu/start-webgpu.ts";

export { BackendUnavailableError } from "./backend-unavailable-error.ts";
export { FusedKernelError } from "./wasm/fused-engine.ts";
export { OutOfMemoryError } from "./wasm/guard-memory.ts";
export { DeviceLostError, GpuError, SynchronousReadError } from "./webgpu/gpu-errors.ts";

/** Backends Levin can be told to use in Node. */
export const backendNames = [
  "wasm",
  "webgpu",
  "native",
  "cpu",
  "tensorflow",
  "stock-wasm",
] as const;
/** Name of a backend that {@link selectBackend} starts. */
export type BackendName = (typeof backendNames)[number];

/**
 * Loads a tfjs backend and makes it the current one. `wasm` is tfjs's with our fused kernels on all
 * threads, `native` the same with large matrix products by an addon for AVX-512 in the same memory,
 * `webgpu` tfjs's with our fused kernels on the GPU; `stock-wasm` is tfjs's as it comes, to compare with.
 *
 * @returns the name tfjs uses for it
 * @throws BackendUnavailableError when it is unknown or cannot be loaded
 */
export async function selectBackend(
  name: string = "wasm",
  {
    otherwise,
  }: {
    /**
     * Is told why the addon, TensorFlow or WebGPU is not there, and `wasm` is taken in its place;
     * without it that is an error.
     */
    otherwise?: (reason: string) => void;
  } = {},
): Promise<string> {
  switch (name) {
    case "wasm":
      await startWasm();
      break;
    case "stock-wasm":
      await locateWasm();
      return setBackend("wasm");
    case "cpu":
      await import("@tensorflow/tfjs-backend-cpu");
      break;
    case "webgpu":
    case "native":
    case "tensorflow":
      try {
        await optionalStarts[name]();
        if (name === "native") return await setBackend("wasm");
        break;
      } catch (error) {
        if (!otherwise) throw error;
        otherwise(`${(error as Error).message}; going on with wasm`);
        return selectBackend("wasm");
      }
    default:
      throw new BackendUnavailableError(
        `expected a backend of ${backendNames.join(", ")}, found "${name}"`,
      );
  }
  return setBackend(name);
}

/** Starts of backends that not every machine has. */
const optionalStarts = {
  webgpu: startWebGpu,
  native: startNative,
  tensorflow: startTensorFlow,
};

async function setBackend(name: string): Promise<string> {
  if (!(await tf.setBackend(name))) {
    throw new BackendUnavailableError(`the ${name} backend did not start`);
  }
  await tf.ready();
  return name;
}

/** Tells tfjs where its wasm files are. */
async function locateWasm(): Promise<void> {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"));
  setWasmPaths(join(folder, "dist") + "/");
}

/** The wasm backend in shared memory, with fused kernels on as many threads as `LEVIN_THREADS` or the machine has. */
function startWasm(): Promise<FusedEngine> {
  return (wasmStart ??= startWasmOnce().catch((error: unknown) => {
    wasmStart = undefined;
    throw error;
  }));
}

/** The start of wasm that all callers share. */
let wasmStart: Promise<FusedEngine> | undefined;

async function startWasmOnce(): Promise<FusedEngine> {
  const threads = threadsToUse();
  const { setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
  await locateWasm();
  // With four cores or more tfjs would start threads of its own, which can't run here.
  setThreadsCount(1);
  if (!(await startSharedWasmBackend())) {
    throw new BackendUnavailableError("the wasm backend did not start");
  }
  return registerFusedKernels({ threads, maySleep: true, spawn: spawnNodeWorker });
}

function threadsToUse(): number {
  const threads = Number(process.env["LEVIN_THREADS"] ?? availableParallelism());
  if (Number.isInteger(threads) && threads >= 1) return threads;
  throw new BackendUnavailableError(
    `LEVIN_THREADS: expected a whole number from 1, found "${process.env["LEVIN_THREADS"]}"`,
  );
}

/** The wasm backend, some of its kernels replaced by native ones. */
function startNative(): Promise<void> {
  return (nativeStart ??= startNativeOnce().catch((error: unknown) => {
    nativeStart = undefined;
    throw error;
  }));
}

let nativeStart: Promise<void> | undefined;

async function startNativeOnce(): Promise<void> {
  const addon = loadNativeAddon();
  registerNativeKernels(addon, await startWasm(), threadsToUse());
}

async function startWebGpu(): Promise<void> {
  await startWebGpuBackend(await gpuOfNode());
}

/** TensorFlow with our forms of kernels; all callers share its one start. */
function startTensorFlow(): Promise<void> {
  return (tensorFlowStart ??= loadTensorFlow().then(registerTensorFlowKernels, (error: unknown) => {
    tensorFlowStart = undefined;
    throw error;
  }));
}

let tensorFlowStart: Promise<void> | undefined;

async function loadTensorFlow(): Promise<void> {
  // tfjs-node 4.22 calls a function that Node 23 removed.
  const util = createRequire(import.meta.url)("node:util") as Record<string, unknown>;
  util["isNullOrUndefined"] ??= (value: unknown) => value == null;
  const failures: string[] = [];
  for (const specifier of ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"]) {
    try {
      await import(specifier);
      return;
    } catch (error) {
      const isAbsent = (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
      if (!isAbsent) failures.push(`${specifier}: ${firstLine(error)}`);
    }
  }
  throw new BackendUnavailableError(
    `the tensorflow backend ${failures.length > 0 ? `does not load (${failures.join("; ")})` : "is not installed"}; ` +
      `run "npm install @tensorflow/tfjs-node", or "npm run setup:tensorflow" in the repository`,
  );
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
