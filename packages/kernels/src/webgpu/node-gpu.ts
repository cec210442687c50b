import { BackendUnavailableError } from "../backend-unavailable-error.ts";

let nodeGpu: GPU | undefined;

/**
 * WebGPU in Node, by the package `webgpu` (Dawn), with the globals that tfjs looks for. `LEVIN_DAWN`
 * has flags for Dawn, such as `adapter=NAME`, with spaces between them.
 *
 * @throws BackendUnavailableError when the package is not installed or does not load
 */
export async function gpuOfNode(): Promise<GPU> {
  if (nodeGpu) return nodeGpu;
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    const gpu = create(process.env["LEVIN_DAWN"]?.split(" ") ?? []);
    const host = (globalThis.navigator ?? {}) as object;
    Object.defineProperty(host, "gpu", { value: gpu, configurable: true });
    Object.defineProperty(globalThis, "navigator", { value: host, configurable: true });
    return (nodeGpu = gpu);
  } catch (error) {
    throw new BackendUnavailableError(
      `the webgpu backend does not load (${(error as Error).message.split("\n")[0]}); ` +
        `run "npm install webgpu @tensorflow/tfjs-backend-webgpu"`,
    );
  }
}
