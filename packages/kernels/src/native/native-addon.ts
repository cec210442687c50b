import { createRequire } from "node:module";
import { BackendUnavailableError } from "../backend-unavailable-error.ts";

/** The addon of native/: kernels for AVX-512, which read and write typed arrays in place. */
export interface NativeAddon {
  /** Whether this processor has what the kernels need. */
  isSupported: boolean;
  /** Hash of the sources it was compiled from. */
  source: string;
  /** Called once before kernels; later calls change nothing. */
  start(threads: number): void;
  /** @param sizes rows, in, out */
  linear(sizes: Int32Array, x: Float32Array, weight: Float32Array, y: Float32Array): void;
  /**
   * @param sizes tokens, k, experts, hidden, intermediate
   * @param chosen int32 numbers
   * @param weights gate, up and down of each expert
   */
  expertMixture(
    sizes: Int32Array,
    x: Float32Array,
    chosen: Float32Array,
    shares: Float32Array,
    y: Float32Array,
    weights: Float32Array[],
  ): void;
}

/**
 * Loads the addon that was compiled for this machine.
 * @throws BackendUnavailableError when there is none, or its processor lacks AVX-512
 */
export function loadNativeAddon(): NativeAddon {
  const platform = `${process.platform}-${process.arch}`;
  let addon: NativeAddon;
  try {
    addon = createRequire(import.meta.url)(`../../native/${platform}.node`) as NativeAddon;
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND";
    const reason = isAbsent ? `is not built for ${platform}` : `does not load (${String(error)})`;
    throw new BackendUnavailableError(`the native backend ${reason}`);
  }
  if (addon.isSupported) return addon;
  throw new BackendUnavailableError("the native backend needs a processor with AVX-512");
}
