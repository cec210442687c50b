import type { ModelState, NextTokenModel } from "../next-token-model.ts";
import { checkTokenIds } from "../token-batch.ts";
import { nextTask } from "./next-task.ts";
import { readLogits, type Sequence } from "./sequence.ts";

interface Request {
  row: BatchRow;
  ids: readonly number[];
  signal: AbortSignal | undefined;
  resolve: (logits: Float32Array | undefined) => void;
  reject: (error: unknown) => void;
}

/** A sequence that reads its prompt alone and then moves on together with others. */
export class BatchRow implements Sequence {
  /** Its own state, while it is not among the rows of the batch. */
  state: ModelState | undefined;
  length: number;
  isGone = false;
  readonly #batch: RunningBatch;

  /** Takes ownership of `state`, of one row. */
  constructor(batch: RunningBatch, state: ModelState) {
    this.#batch = batch;
    this.state = state;
    this.length = state.length;
  }

  prefill(ids: readonly number[], signal: AbortSignal | undefined) {
    return this.#batch.prefill(this, ids, signal);
  }

  step(id: number, signal: AbortSignal | undefined) {
    return this.#batch.step(this, id, signal);
  }

  leave(): void {
    this.#batch.remove(this);
  }
}

/**
 * Feeds many sequences. Each round reads some of a prompt, then moves all those on by one token
 * that ask for it by then: they are the rows of one state. Who does not ask sits out.
 */
export class RunningBatch {
  readonly #model: NextTokenModel;
  readonly #prefillTokens: number;
  #prompts: Request[] = [];
  #steps: Request[] = [];
  #isRunning = false;
  /** Of `#rows`, in their order. */
  #state: ModelState | undefined;
  #rows: readonly BatchRow[] = [];
  readonly #stepCounts: number[] = [];

  /** @param prefillTokens prompt tokens after which a round goes on to the step */
  constructor(model: NextTokenModel, prefillTokens: number) {
    this.#model = model;
    this.#prefillTokens = prefillTokens;
  }

  /** Steps so far by how many sequences they moved on: of one, of two, and so on. */
  get stepCounts(): readonly number[] {
    return this.#stepCounts;
  }

  prefill(row: BatchRow, ids: readonly number[], signal: AbortSignal | undefined) {
    return this.#ask(this.#prompts, { row, ids, signal });
  }

  step(row: BatchRow, id: number, signal: AbortSignal | undefined) {
    return this.#ask(this.#steps, { row, ids: [id], signal });
  }

  /** A copy of what a row has been fed; the caller's. */
  copyState(row: BatchRow): ModelState {
    return row.state?.clone() ?? this.#state!.regroup([this.#rows.indexOf(row)]);
  }

  /** Frees its memory; among others, when they move on next. */
  remove(row: BatchRow): void {
    row.isGone = true;
    row.state?.dispose();
    row.state = undefined;
    if (this.#rows.every(({ isGone }) => isGone)) this.#replaceState(undefined, []);
  }

  async #ask(
    queue: Request[],
    request: Pick<Request, "row" | "ids" | "signal">,
  ): Promise<Float32Array | undefined> {
    // A wrong token must not fail the step of all.
    checkTokenIds(request.ids, this.#model.config.vocabSize);
    const answer = new Promise<Float32Array | undefined>((resolve, reject) => {
      queue.push({ ...request, resolve, reject });
    });
    if (!this.#isRunning) void this.#run();
    return answer;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#prompts.length + this.#steps.length > 0) {
      await nextTask();
      await this.#readPrompts();
      await this.#stepAll(takeOpen(this.#steps));
    }
    this.#isRunning = false;
  }

  async #readPrompts(): Promise<void> {
    for (let fed = 0; fed < this.#prefillTokens && this.#prompts.length > 0;) {
      for (const { row, ids, resolve, reject } of takeOpen(this.#prompts)) {
        try {
          const logits = this.#model.advance(row.state!, { ids: [ids] });
          row.length += ids.length;
          fed += ids.length;
          resolve(await readLogits(logits));
        } catch (error) {
          reject(error);
        }
      }
      // The sequence asks for more by then, or the next one is let in.
      await nextTask();
    }
  }

  async #stepAll(requests: readonly Request[]): Promise<void> {
    const ready = this.#gather(requests);
    if (ready.length === 0) return;
    const { vocabSize } = this.#model.config;
    try {
      const logits = this.#model.advance(this.#state!, { ids: ready.map(({ ids }) => ids) });
      for (const { row } of ready) row.length += 1;
      this.#countStep(ready.length);
      const values = await readLogits(logits);
      ready.forEach(({ resolve }, i) =>
        resolve(values.subarray(i * vocabSize, (i + 1) * vocabSize)),
      );
    } catch (error) {
      for (const { reject } of ready) reject(error);
    }
  }

  #countStep(size: number): void {
    while (this.#stepCounts.length < size) this.#stepCounts.push(0);
    this.#stepCounts[size - 1]! += 1;
  }

  /** Makes those who ask the rows of the state; their requests in the order of the rows. */
  #gather(requests: readonly Request[]): Request[] {
    if (requests.length === 0) return [];
    const asked = new Map(requests.map((request) => [request.row, request]));
    const joining = requests.filter(({ row }) => row.state);
    try {
      this.#regroup(
        this.#rows.filter((row) => asked.has(row)),
        joining.map(({ row }) => row),
      );
      return this.#rows.map((row) => asked.get(row)!);
    } catch (error) {
      // Where memory does not suffice for those who join, the others go on without them.
      const failed = joining.length > 0 ? joining : requests;
      for (const { reject } of failed) reject(error);
      this.#steps.unshift(...requests.filter((request) => !failed.includes(request)));
      return [];
    }
  }

  /** All or nothing: an error leaves every state where it was. */
  #regroup(staying: readonly BatchRow[], joining: readonly BatchRow[]): void {
    if (joining.length === 0 && staying.length === this.#rows.length) return;
    const place = (row: BatchRow): number => this.#rows.indexOf(row);
    const resting = this.#rows.filter((row) => !row.isGone && !staying.includes(row));
    const own: ModelState[] = [];
    try {
      for (const row of resting) own.push(this.#state!.regroup([place(row)]));
      const states = joining.map(({ state }) => state!);
      const isAlone = staying.length === 0 && joining.length === 1;
      const next = isAlone
        ? states[0]!
        : staying.length === 0
          ? states[0]!.regroup([0], states.slice(1))
          : this.#state!.regroup(staying.map(place), states);
      this.#replaceState(next, [...staying, ...joining]);
      if (!isAlone) for (const state of states) state.dispose();
    } catch (error) {
      for (const state of own) state.dispose();
      throw error;
    }
    for (const row of joining) row.state = undefined;
    resting.forEach((row, i) => (row.state = own[i]));
  }

  #replaceState(state: ModelState | undefined, rows: readonly BatchRow[]): void {
    this.#state?.dispose();
    this.#state = state;
    this.#rows = rows;
  }
}

/** Empties the queue; those aborted hear at once that nothing was fed. */
function takeOpen(queue: Request[]): Request[] {
  const all = queue.splice(0);
  for (const { signal, resolve } of all) if (signal?.aborted) resolve(undefined);
  return all.filter(({ signal }) => !signal?.aborted);
}
