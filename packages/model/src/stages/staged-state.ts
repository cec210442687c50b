import { ModelStateError, packState } from "../model-state-bytes.ts";
import type { ModelState } from "../next-token-model.ts";
import type { TokenBatch } from "../token-batch.ts";
import type { StageMessage, StageRequest } from "./stage-message.ts";
import type { StageRing } from "./stage-ring.ts";

type Making = Extract<StageRequest, { kind: "create" | "clone" | "regroup" | "deserialize" }>;
/** Each kind of request without the number of the new state. */
type MakingRequest = Making extends infer R
  ? R extends unknown
    ? Omit<R, "state">
    : never
  : never;

let states = 0;

/** What a staged model remembers of a batch of sequences; each stage holds that of its layers. */
export class StagedState implements ModelState {
  readonly batch: number;
  /** Real tokens fed so far, per row: the position of the next token. */
  readonly positions: number[];
  /** True after an error in the middle of the stages: some have moved on, others have not. */
  broken = false;
  readonly #ring: StageRing;
  readonly #number: number;
  #length: number;
  #byteLength: number;

  /** Has every stage make its part; what is there of it after an error goes away again. */
  static make(ring: StageRing, request: MakingRequest, positions: readonly number[]): StagedState {
    const state = ++states;
    try {
      const answer = ring.call({ ...request, state } as Making);
      return new StagedState(ring, state, positions, answer);
    } catch (error) {
      if (ring.isOpen) ring.call({ kind: "dispose", state });
      throw error;
    }
  }

  private constructor(
    ring: StageRing,
    number: number,
    positions: readonly number[],
    { length, byteLength }: StageMessage,
  ) {
    this.#ring = ring;
    this.#number = number;
    this.positions = [...positions];
    this.batch = positions.length;
    this.#length = length;
    this.#byteLength = byteLength;
  }

  /** Tokens fed so far, padding included. */
  get length(): number {
    return this.#length;
  }

  /** Bytes held in all stages. */
  get byteLength(): number {
    return this.#byteLength;
  }

  clone(): StagedState {
    const copy = StagedState.make(this.#ring, { kind: "clone", of: this.#number }, this.positions);
    copy.broken = this.broken;
    return copy;
  }

  /**
   * A state of `rows` of this one, then of all rows of `others`; all of them stay as they are.
   * @throws ModelStateError for rows that are not there and states that an error left half moved
   */
  regroup(rows: readonly number[], others: readonly StagedState[] = []): StagedState {
    if ([this, ...others].some(({ broken }) => broken)) {
      throw new ModelStateError("rows: expected whole states, found a broken one");
    }
    const positions = [
      ...rows.map((row) => this.positions[row]!),
      ...others.flatMap((other) => other.positions),
    ];
    return StagedState.make(
      this.#ring,
      { kind: "regroup", of: this.#number, rows, others: others.map((other) => other.#number) },
      positions,
    );
  }

  /** Bytes as of the whole model's state. */
  serialize(): Uint8Array {
    const { layers } = this.#ring.call({ kind: "serialize", state: this.#number });
    const { batch, length, positions } = this;
    return packState({ batch, length, positions }, layers);
  }

  /** @returns logits of the last position, `[batch, vocab]` */
  advance(tokens: TokenBatch, counts: readonly number[]): NonNullable<StageMessage["output"]> {
    const answer = this.#ring.call({ kind: "advance", state: this.#number, tokens });
    counts.forEach((count, row) => (this.positions[row]! += count));
    this.#length += tokens.ids[0]!.length;
    this.#byteLength = answer.byteLength;
    return answer.output!;
  }

  dispose(): void {
    if (this.#ring.isOpen) this.#ring.call({ kind: "dispose", state: this.#number });
  }
}
