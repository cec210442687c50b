import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { DeviceLostError, GpuError, SynchronousReadError } from "./gpu-errors.ts";

/** What became of a device. */
export interface DeviceHealth {
  /** Why it was lost. */
  loss?: string;
  /** What it refused, until that has been told. */
  failure?: string;
}

/**
 * Makes a backend say what went wrong on its device. WebGPU itself goes on after errors, with results
 * that are zeros or leftovers.
 */
export function guardDevice(backend: WebGPUBackend): DeviceHealth {
  const health = watch(backend.device);
  const run = backend.runWebGPUProgram.bind(backend);
  backend.runWebGPUProgram = (...args) => {
    checkDevice(health);
    return run(...args);
  };
  const read = backend.read.bind(backend);
  backend.read = async (dataId) => {
    checkDevice(health);
    const [result] = await Promise.allSettled([read(dataId)]);
    // Errors and losses arrive a turn of the event loop after what they spoilt.
    await new Promise((resolve) => setTimeout(resolve));
    checkDevice(health);
    checkWork(health);
    if (result.status === "rejected") throw result.reason;
    return result.value;
  };
  const readSync = backend.readSync.bind(backend);
  backend.readSync = (dataId) => {
    const isOnHost = backend.tensorMap.get(dataId).values != null;
    if (!isOnHost && typeof OffscreenCanvas === "undefined") {
      throw new SynchronousReadError(
        "webgpu: expected numbers to be read by `await tensor.data()`, found a synchronous read, " +
          "which Node can't do",
      );
    }
    return readSync(dataId);
  };
  return health;
}

function watch(device: GPUDevice): DeviceHealth {
  const health: DeviceHealth = {};
  void device.lost.then(({ reason, message }) => {
    health.loss = [reason, message].filter(Boolean).join(": ");
  });
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    health.failure ??= event.error.message;
  });
  return health;
}

function checkDevice({ loss }: DeviceHealth): void {
  if (loss === undefined) return;
  throw new DeviceLostError(
    `webgpu: expected a working GPU, found its device lost (${loss}); select a backend and load the ` +
      `model again`,
  );
}

function checkWork(health: DeviceHealth): void {
  const { failure } = health;
  if (failure === undefined) return;
  delete health.failure;
  throw new GpuError(`webgpu: expected the GPU to do its work, found an error: ${failure}`);
}
