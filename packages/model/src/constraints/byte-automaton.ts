import { ConstraintError } from "./constraint.ts";
import type { Program } from "./program.ts";

/** Where to go on after a `call` or inside a `repeat`; equal frames are one object. */
interface Frame {
  id: number;
  /** The instruction that waits. */
  at: number;
  /** Rounds of a `repeat` that are complete. */
  count: number;
  parent: Frame | undefined;
}

/** A place of the machine in front of a byte. */
interface Thread {
  at: number;
  frame: Frame | undefined;
}

/** All places where the machine can be after some bytes. */
export interface AutomatonState {
  readonly threads: readonly Thread[];
  /** The bytes so far are a whole match. */
  readonly accepting: boolean;
  /** By byte; null where none can follow, undefined where nobody asked yet. */
  readonly nexts: (AutomatonState | null | undefined)[];
}

/** States that are remembered; beyond it, they are forgotten and made again when needed. */
const maximalStates = 20_000;

/** Places that one state may have: more take long, and come from repetitions inside repetitions. */
const maximalPlaces = 5000;

/**
 * A deterministic automaton over bytes, made from a program state by state as they are reached
 * (a pushdown automaton has no end of them). Equal states are one object, so that what was worked
 * out for one is known.
 */
export class ByteAutomaton {
  readonly start: AutomatonState;
  readonly #program: Program;
  readonly #states = new Map<string, AutomatonState>();
  readonly #frames = new Map<string, Frame>();
  #frameCount = 0;

  /** @throws ConstraintError when nothing can match */
  constructor(program: Program) {
    this.#program = program;
    const start = this.#state([{ at: program.start, frame: undefined }]);
    if (!start) throw new ConstraintError("no text satisfies this constraint");
    this.start = start;
  }

  /** The state after one more byte; null when no match goes on with it. */
  next(state: AutomatonState, byte: number): AutomatonState | null {
    const known = state.nexts[byte];
    if (known !== undefined) return known;
    const threads: Thread[] = [];
    for (const { at, frame } of state.threads) {
      const instruction = this.#program.instructions[at]!;
      if (instruction.op !== "byte" || byte < instruction.low || byte > instruction.high) continue;
      threads.push({ at: instruction.next, frame });
    }
    const next = threads.length === 0 ? null : this.#state(threads);
    state.nexts[byte] = next;
    return next;
  }

  /** Forgets all states but those that somebody holds. */
  forget(): void {
    this.#states.clear();
    this.#frames.clear();
    this.start.nexts.fill(undefined);
  }

  /** Follows threads to where they need a byte; null when none can ever get one, or end. */
  #state(from: readonly Thread[]): AutomatonState | null {
    const threads: Thread[] = [];
    const seen = new Set<string>();
    let accepting = false;
    const queue: (Thread & { count?: number })[] = from.toReversed();
    for (let thread = queue.pop(); thread; thread = queue.pop()) {
      const { at, frame, count = 0 } = thread;
      if (!this.#program.canReturn[at]) continue;
      const key = `${at},${count},${frame?.id ?? 0}`;
      if (seen.has(key)) continue;
      if (seen.size === maximalPlaces) throw new ConstraintError("too many ways to match one text");
      seen.add(key);
      const instruction = this.#program.instructions[at]!;
      if (instruction.op === "byte") threads.push({ at, frame });
      else if (instruction.op === "split") {
        for (const next of instruction.nexts.toReversed()) queue.push({ at: next, frame });
      } else if (instruction.op === "call") {
        queue.push({ at: instruction.start, frame: this.#pushed(at, 0, frame) });
      } else if (instruction.op === "repeat") {
        const { start, min, max, next } = instruction;
        if (count < max) queue.push({ at: start, frame: this.#pushed(at, count, frame) });
        if (count >= min) queue.push({ at: next, frame });
      } else if (frame === undefined) accepting = true;
      else queue.push(this.#returned(frame));
    }
    return threads.length === 0 && !accepting ? null : this.#unique(threads, accepting);
  }

  #pushed(at: number, count: number, parent: Frame | undefined): Frame | undefined {
    const instruction = this.#program.instructions[at]!;
    // A call at the very end has nothing to come back to: long lists would pile up frames.
    if (
      instruction.op === "call" &&
      this.#program.instructions[instruction.next]!.op === "return"
    ) {
      return parent;
    }
    const key = `${at},${count},${parent?.id ?? 0}`;
    let frame = this.#frames.get(key);
    if (!frame) {
      frame = { id: ++this.#frameCount, at, count, parent };
      this.#frames.set(key, frame);
    }
    return frame;
  }

  #returned({ at, count, parent }: Frame): Thread & { count?: number } {
    const instruction = this.#program.instructions[at]!;
    if (instruction.op === "call") return { at: instruction.next, frame: parent };
    const { min, max } = instruction as Extract<typeof instruction, { op: "repeat" }>;
    // Where no end is set, rounds beyond the least ones need no count, so their states are equal.
    return { at, frame: parent, count: max === Infinity ? Math.min(count + 1, min) : count + 1 };
  }

  #unique(threads: readonly Thread[], accepting: boolean): AutomatonState {
    const key = `${accepting}|${threads.map(({ at, frame }) => `${at},${frame?.id ?? 0}`).join("|")}`;
    const known = this.#states.get(key);
    if (known) return known;
    if (this.#states.size >= maximalStates) this.forget();
    const state = { threads, accepting, nexts: Array<undefined>(256).fill(undefined) };
    this.#states.set(key, state);
    return state;
  }
}
