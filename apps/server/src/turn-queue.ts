import { ApiError } from "./api/api-error.ts";

/** Lets one request generate at a time, in the order they came. */
export class TurnQueue {
  readonly #waiting = new Set<() => void>();
  readonly #capacity: number;
  #busy = false;

  /** @param capacity requests that may wait */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Requests that wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** @throws ApiError (503) when no more requests may wait */
  checkRoom(): void {
    if (this.#busy && this.#waiting.size >= this.#capacity) {
      throw new ApiError(503, "too many requests are waiting; try again later", {
        code: "overloaded",
      });
    }
  }

  /**
   * Waits for a turn; call the returned function to end it.
   * @throws ApiError (503) when the queue is full; the signal's reason when it aborts while waiting
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    this.checkRoom();
    signal.throwIfAborted();
    if (this.#busy) await this.#wait(signal);
    this.#busy = true;
    return () => this.#next();
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#waiting.delete(start);
        reject(signal.reason as Error);
      };
      this.#waiting.add(start);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  }

  /** Stays busy when it hands over, so that nobody slips in between. */
  #next(): void {
    const [first] = this.#waiting;
    if (first) this.#waiting.delete(first);
    this.#busy = first !== undefined;
    first?.();
  }
}
