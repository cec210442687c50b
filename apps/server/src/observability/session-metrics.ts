import { Counter, type Registry } from "prom-client";

/**
 * Where a turn found its session's last state: still with the engine, in the database, nowhere, or
 * in the database but broken.
 */
export type StateOutcome = "cached" | "restored" | "none" | "unusable";

/** What is counted of sessions. */
export class SessionMetrics {
  readonly #turns;

  constructor(registry: Registry) {
    this.#turns = new Counter({
      name: "levin_session_turns_total",
      help: "Turns of sessions, by where their state was: cached, restored from the database, none, unusable.",
      labelNames: ["state"],
      registers: [registry],
    });
  }

  turn(state: StateOutcome): void {
    this.#turns.inc({ state });
  }
}
