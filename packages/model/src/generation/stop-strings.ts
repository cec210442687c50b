/**
 * Watches streamed text for stop strings. Text that may be the beginning of one is held back, so
 * that no part of a stop string is ever emitted.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Text that is safe to emit; `stopped` names the stop string that ended it. */
  push(text: string): { text: string; stopped?: string } {
    const all = this.#held + text;
    const hits = this.#stops
      .map((stop) => ({ stop, at: all.indexOf(stop) }))
      .filter(({ at }) => at >= 0)
      .toSorted((a, b) => a.at - b.at);
    const first = hits[0];
    if (first) {
      this.#held = "";
      return { text: all.slice(0, first.at), stopped: first.stop };
    }
    const safe = all.length - this.#possibleStart(all);
    this.#held = all.slice(safe);
    return { text: all.slice(0, safe) };
  }

  /** What was held back, when no more text comes. */
  flush(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  /** Length of the longest end of `text` that begins a stop string. */
  #possibleStart(text: string): number {
    const starts = this.#stops.map((stop) => {
      for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
        if (text.endsWith(stop.slice(0, length))) return length;
      }
      return 0;
    });
    return Math.max(0, ...starts);
  }
}
