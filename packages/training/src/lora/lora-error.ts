/** Raised when an adapter is not one, or does not fit its model. */
export class LoraError extends Error {
  override readonly name = "LoraError";
}
