import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type * as tf from "@tensorflow/tfjs-core";
import { DeviceLostError, GpuError, SynchronousReadError } from "./gpu-errors.ts";

/**
 * tfjs's WebGPU backend, which says what went wrong on its device. WebGPU itself goes on after errors,
 * with results that are zeros or leftovers.
 */
export class GuardedBackend extends WebGPUBackend {
  /** Why the device was lost. */
  #loss: string | undefined;
  /** What the device refused, until it has been told. */
  #failure: string | undefined;

  constructor(device: GPUDevice, adapterInfo: GPUAdapterInfo) {
    super(device, adapterInfo);
    void device.lost.then(({ reason, message }) => {
      this.#loss = [reason, message].filter(Boolean).join(": ");
    });
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#failure ??= event.error.message;
    });
  }

  get isLost(): boolean {
    return this.#loss !== undefined;
  }

  override runWebGPUProgram(...args: Parameters<WebGPUBackend["runWebGPUProgram"]>): tf.TensorInfo {
    this.#checkDevice();
    return super.runWebGPUProgram(...args);
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    this.#checkDevice();
    const [result] = await Promise.allSettled([super.read(dataId)]);
    // Errors and losses arrive a turn of the event loop after what they spoilt.
    await new Promise((resolve) => setTimeout(resolve));
    this.#checkDevice();
    this.#checkWork();
    if (result.status === "rejected") throw result.reason;
    return result.value;
  }

  override readSync(dataId: object): tf.BackendValues {
    const isOnHost = this.tensorMap.get(dataId).values != null;
    if (!isOnHost && typeof OffscreenCanvas === "undefined") {
      throw new SynchronousReadError(
        "webgpu: expected numbers to be read by `await tensor.data()`, found a synchronous read, " +
          "which Node can't do",
      );
    }
    return super.readSync(dataId);
  }

  #checkDevice(): void {
    if (this.#loss !== undefined) {
      throw new DeviceLostError(
        `webgpu: expected a working GPU, found its device lost (${this.#loss}); select a backend ` +
          `and load the model again`,
      );
    }
  }

  #checkWork(): void {
    const failure = this.#failure;
    if (failure === undefined) return;
    this.#failure = undefined;
    throw new GpuError(`webgpu: expected the GPU to do its work, found an error: ${failure}`);
  }
}
