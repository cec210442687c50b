import * as tf from "@tensorflow/tfjs-core";
import { BackendUnavailableError } from "../backend-unavailable-error.ts";
import { guardDevice, type DeviceHealth } from "./guard-device.ts";
import { registerWebGpuKernels } from "./register-fused.ts";

/** Limits that are asked for as high as the adapter has them. */
const limits = [
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupSizeX",
  "maxComputeInvocationsPerWorkgroup",
] as const;

let running: Promise<DeviceHealth> | undefined;

/**
 * Gives tfjs a WebGPU backend with fused kernels, on a device of the fastest adapter. A second call
 * keeps it, unless its device was lost: then its tensors are gone and a new one takes its place.
 *
 * @throws BackendUnavailableError when tfjs's backend is not installed, or there is no adapter
 */
export async function startWebGpuBackend(gpu: GPU | undefined): Promise<void> {
  if (running && (await running).loss === undefined) return;
  running = start(gpu);
  running.catch(() => (running = undefined));
  await running;
}

async function start(gpu: GPU | undefined): Promise<DeviceHealth> {
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu").catch(() => {
    throw new BackendUnavailableError(
      'the webgpu backend is not installed; run "npm install @tensorflow/tfjs-backend-webgpu"',
    );
  });
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new BackendUnavailableError(
      "the webgpu backend found no GPU; it needs one with a driver for Vulkan, Metal or Direct3D 12",
    );
  }
  const device = await adapter.requestDevice({
    requiredFeatures: adapter.features.has("timestamp-query") ? ["timestamp-query"] : [],
    requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  });
  const backend = new WebGPUBackend(device, adapter.info);
  // Where tfjs finds a GPU it registers a backend of its own, which asks for less and fails without a word.
  if (tf.findBackendFactory("webgpu")) tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => backend, 3);
  registerWebGpuKernels();
  return guardDevice(backend);
}
