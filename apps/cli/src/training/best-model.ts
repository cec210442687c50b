import { readRunLog } from "./run-log.ts";

/** Follows held-out losses: which is the lowest, and whether it is long ago. */
export class BestModel {
  readonly #patience: number;
  #lowest = Infinity;
  #since = 0;

  private constructor(patience: number) {
    this.#patience = patience;
  }

  /** As far as the metrics of a run tell. */
  static async of(directory: string, patience = Infinity): Promise<BestModel> {
    const best = new BestModel(patience);
    for (const line of await readRunLog<{ heldOutLoss?: number }>(directory, "metrics")) {
      if (line.heldOutLoss !== undefined) best.add(line.heldOutLoss);
    }
    return best;
  }

  /** Takes the next loss; true when it is the lowest so far. */
  add(loss: number): boolean {
    const isLowest = loss < this.#lowest;
    this.#since = isLowest ? 0 : this.#since + 1;
    if (isLowest) this.#lowest = loss;
    return isLowest;
  }

  /** True when the lowest loss is `patience` evaluations ago. */
  get isOver(): boolean {
    return this.#since >= this.#patience;
  }
}
