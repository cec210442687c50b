/** Raised when the GPU's device is gone; selecting a backend again starts a new one. */
export class DeviceLostError extends Error {
  override readonly name = "DeviceLostError";
}

/** Raised when the GPU refused work, such as a buffer that does not fit into its memory. */
export class GpuError extends Error {
  override readonly name = "GpuError";
}

/** Raised when numbers are read from the GPU synchronously where that is not possible. */
export class SynchronousReadError extends Error {
  override readonly name = "SynchronousReadError";
}
