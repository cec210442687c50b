/** Why a request was ended before its end. */
export type EndCause = "client" | "timeout" | "shutdown";

/** A request under way, which its client, the clock and the server's end can end. */
export class Run {
  readonly #controller = new AbortController();
  readonly #client: AbortSignal;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onLeave = (): void => this.end("client");
  #cause: EndCause | undefined;

  /** @param timeout milliseconds; undefined is no limit */
  constructor(client: AbortSignal, timeout: number | undefined) {
    this.#client = client;
    client.addEventListener("abort", this.#onLeave, { once: true });
    if (timeout !== undefined) this.#timer = setTimeout(() => this.end("timeout"), timeout);
    if (client.aborted) this.#onLeave();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first that ended it. */
  get cause(): EndCause | undefined {
    return this.#cause;
  }

  end(cause: EndCause): void {
    this.#cause ??= cause;
    this.#controller.abort();
  }

  /** Stops waiting for either. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.#client.removeEventListener("abort", this.#onLeave);
  }
}
