/** How many requests run and wait. */
export interface QueueLimits {
  /** Requests that run at once. */
  places: number;
  /** Requests that may wait. */
  capacity: number;
  /** Prompt tokens that may wait; a prompt with more waits alone. */
  tokens: number;
}

/** A place among those who run; to be left once. */
export interface Place {
  leave(): void;
}

interface Waiting {
  tokens: number;
  start: () => void;
}

interface Client {
  running: number;
  waiting: Set<Waiting>;
  /** Number of its last turn. */
  turn: number;
}

/**
 * Who runs next. Places go to the client with the fewest of them, among equals to the one whose
 * turn is longest ago; each client's own requests come in their order. Who asks for much waits
 * behind itself, not before others.
 */
export class FairQueue {
  readonly #limits: QueueLimits;
  readonly #clients = new Map<string, Client>();
  #running = 0;
  #waiting = 0;
  #waitingTokens = 0;
  #turns = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get waitingTokens(): number {
    return this.#waitingTokens;
  }

  /**
   * Whether further requests of a client may come. Of a long queue one client alone gets two thirds,
   * the next one two thirds of the rest: nobody shuts the others out.
   */
  hasRoom(client: string, { tokens = 0, requests = 1 } = {}): boolean {
    const others = requests - 1 - Math.max(0, this.#limits.places - this.#running);
    if (others < 0) return true;
    const own = (this.#clients.get(client)?.waiting.size ?? 0) + others;
    const free = this.#limits.capacity - this.#waiting - others;
    const isShort = this.#waiting === 0 || this.#waitingTokens + tokens <= this.#limits.tokens;
    return own < 2 * free && isShort;
  }

  /** Waits for a place; undefined when the signal aborts first. */
  enter(client: string, tokens: number, signal: AbortSignal): Promise<Place | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    const { waiting } = this.#clientOf(client);
    return new Promise((resolve) => {
      const request: Waiting = {
        tokens,
        start: () => {
          signal.removeEventListener("abort", giveUp);
          resolve({ leave: () => this.#leave(client) });
        },
      };
      const giveUp = (): void => {
        this.#remove(client, request);
        resolve(undefined);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      waiting.add(request);
      this.#waiting += 1;
      this.#waitingTokens += tokens;
      this.#admit();
    });
  }

  #admit(): void {
    while (this.#running < this.#limits.places && this.#waiting > 0) {
      const [name, client] = this.#next();
      const [request] = client.waiting;
      client.running += 1;
      client.turn = ++this.#turns;
      this.#running += 1;
      this.#remove(name, request!);
      request!.start();
    }
  }

  #next(): [string, Client] {
    const waiting = [...this.#clients].filter(([, client]) => client.waiting.size > 0);
    return waiting.reduce((best, other) => (isBefore(other[1], best[1]) ? other : best));
  }

  #leave(name: string): void {
    const client = this.#clientOf(name);
    client.running -= 1;
    this.#running -= 1;
    this.#forget(name, client);
    this.#admit();
  }

  #remove(name: string, request: Waiting): void {
    const client = this.#clientOf(name);
    client.waiting.delete(request);
    this.#waiting -= 1;
    this.#waitingTokens -= request.tokens;
    this.#forget(name, client);
  }

  #clientOf(name: string): Client {
    const known = this.#clients.get(name);
    if (known) return known;
    const client: Client = { running: 0, waiting: new Set(), turn: 0 };
    this.#clients.set(name, client);
    return client;
  }

  #forget(name: string, { running, waiting }: Client): void {
    if (running === 0 && waiting.size === 0) this.#clients.delete(name);
  }
}

function isBefore(a: Client, b: Client): boolean {
  return a.running === b.running ? a.turn < b.turn : a.running < b.running;
}
