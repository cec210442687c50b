/** Share of the newest measurement in the mean. */
const weight = 0.2;

/** How long answers hold their places, to tell refused clients when to come again. */
export class PlaceTime {
  #mean: number | undefined;

  /** @param seconds that an answer held its place */
  add(seconds: number): void {
    this.#mean = this.#mean === undefined ? seconds : this.#mean + weight * (seconds - this.#mean);
  }

  /** Whole seconds, 1 to 60, until one of some places is likely to be free. */
  untilFree(places: number): number {
    return Math.min(60, Math.max(1, Math.ceil((this.#mean ?? 0) / places)));
  }
}
