/** Raised when the address cannot be listened on; says what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}
