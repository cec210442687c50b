/**
 * A right to some units a minute, which comes back evenly. What was used is often known only
 * afterwards, so more may be taken than there is: then nothing is left until the debt is paid.
 */
export class TokenBucket {
  readonly perMinute: number;
  #level: number;
  /** Milliseconds. */
  #at: number;

  constructor(perMinute: number, now: number) {
    this.perMinute = perMinute;
    this.#level = perMinute;
    this.#at = now;
  }

  /** Units that are left at a time in milliseconds; negative: owed. */
  left(now: number): number {
    const back = ((now - this.#at) / 60_000) * this.perMinute;
    return Math.min(this.perMinute, this.#level + back);
  }

  take(units: number, now: number): void {
    this.#level = this.left(now) - units;
    this.#at = now;
  }

  /** Milliseconds until this many units are left. */
  wait(units: number, now: number): number {
    return Math.max(0, ((units - this.left(now)) / this.perMinute) * 60_000);
  }
}
