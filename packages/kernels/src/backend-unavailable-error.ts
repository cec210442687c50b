/** Raised when a requested backend is unknown, not installed or not possible here; the message says what to do. */
export class BackendUnavailableError extends Error {
  override readonly name = "BackendUnavailableError";
}
