/**
 * Turns tokens into text as they come. A character whose bytes are spread over several tokens is
 * held back until it is whole, so half a character is never emitted.
 */
export class DecodeStream {
  readonly #lookUp: (id: number) => string | Uint8Array;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** `lookUp` gives the bytes of a token, or the text of a special one. */
  constructor(lookUp: (id: number) => string | Uint8Array) {
    this.#lookUp = lookUp;
  }

  /** The text that this token completes; may be empty. */
  push(id: number): string {
    const piece = this.#lookUp(id);
    if (typeof piece === "string") return this.flush() + piece;
    return this.#decoder.decode(piece, { stream: true });
  }

  /** What is left at the end: U+FFFD for a character that never became whole, else nothing. */
  flush(): string {
    return this.#decoder.decode();
  }
}
