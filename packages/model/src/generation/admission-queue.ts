/** A row of a batch, held by one sequence. */
export interface Place {
  /** Lets the next one read its prompt. */
  finishReading(): void;
  /** Gives the row to the next one; to be called once. */
  leave(): void;
}

/**
 * Who may enter a batch, first come, first served. One prompt is read at a time, so that a prompt
 * that begins like the one before it finds that one's state.
 */
export class AdmissionQueue {
  readonly #maxRows: number;
  readonly #waiting = new Set<() => void>();
  #rows = 0;
  #isReading = false;

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Waits for a row and for the turn to read; undefined when the signal aborts first. */
  enter(signal: AbortSignal | undefined): Promise<Place | undefined> {
    return new Promise((resolve) => {
      const start = (): void => {
        signal?.removeEventListener("abort", giveUp);
        resolve(this.#place());
      };
      const giveUp = (): void => {
        this.#waiting.delete(start);
        resolve(undefined);
      };
      if (signal?.aborted) {
        giveUp();
        return;
      }
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(start);
      this.#admit();
    });
  }

  #admit(): void {
    const [first] = this.#waiting;
    if (!first || this.#isReading || this.#rows === this.#maxRows) return;
    this.#waiting.delete(first);
    this.#rows += 1;
    this.#isReading = true;
    first();
  }

  #place(): Place {
    let isReading = true;
    const finishReading = (): void => {
      if (isReading) this.#isReading = false;
      isReading = false;
      this.#admit();
    };
    const leave = (): void => {
      this.#rows -= 1;
      finishReading();
    };
    return { finishReading, leave };
  }
}
