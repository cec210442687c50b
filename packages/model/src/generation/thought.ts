/** What generation needs of a tokenizer; `@levin/tokenizer` has it. */
export interface TextTokenizer {
  encode(text: string, options?: { parseSpecialTokens?: boolean }): number[];
  tokenToId(token: string): number | undefined;
  createDecodeStream(options?: { skipSpecialTokens?: boolean }): {
    push(id: number): string;
    flush(): string;
  };
  /** UTF-8 bytes of a token; needed for constraints only, as the next two. */
  tokenBytes?(id: number): Uint8Array;
  readonly vocabSize?: number;
  /** Added tokens by text; a constrained answer contains those alone that it names as marks. */
  readonly specialTokens?: ReadonlyMap<string, number>;
}

/** Follows whether the model is inside its thought, between `<think>` and `</think>`. */
export class Thought {
  readonly #open: number | undefined;
  readonly #close: number | undefined;
  #inside = false;
  /** Tokens of thought so far, marks not counted. */
  tokens = 0;

  constructor(tokenizer: TextTokenizer) {
    this.#open = tokenizer.tokenToId("<think>");
    this.#close = tokenizer.tokenToId("</think>");
  }

  get inside(): boolean {
    return this.#inside;
  }

  /** Takes note of a token, counted or not; true when it is one of the two marks. */
  observe(id: number, { counted = true } = {}): boolean {
    if (id === this.#open || id === this.#close) {
      this.#inside = id === this.#open;
      return true;
    }
    if (this.#inside && counted) this.tokens++;
    return false;
  }

  /** Reads a prompt, which may end inside an open thought. */
  observePrompt(ids: readonly number[]): void {
    const lastOpen = this.#open === undefined ? -1 : ids.lastIndexOf(this.#open);
    const lastClose = this.#close === undefined ? -1 : ids.lastIndexOf(this.#close);
    this.#inside = lastOpen > lastClose;
  }
}
