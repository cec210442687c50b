import type { TextTokenizer } from "../generation/thought.ts";
import { ByteAutomaton, type AutomatonState } from "./byte-automaton.ts";
import { ConstraintError, type Constraint } from "./constraint.ts";
import {
  addedToken,
  characters,
  choice,
  repeat,
  sequence,
  text,
  type CodePoints,
  type Expression,
} from "./expression.ts";
import { jsonObject } from "./json-expression.ts";
import { jsonSchemaExpression } from "./json-schema.ts";
import { compileExpression } from "./program.ts";
import { patternExpression } from "./regular-expression.ts";
import { triggered } from "./triggered.ts";
import { addedTokens, TokenAutomaton, vocabularyOf } from "./token-automaton.ts";

/** Follows an answer through its constraint: which tokens may come, and whether it is complete. */
export class AnswerConstraint {
  readonly #automaton: TokenAutomaton;
  readonly #addedTokens: ReadonlyMap<number, string>;
  #state: AutomatonState;
  /** Whether anything of the answer has come. */
  hasBegun = false;

  /** @throws ConstraintError */
  constructor(constraint: Constraint, tokenizer: TextTokenizer, vocabSize: number) {
    this.#automaton = automatonOf(constraint, tokenizer, vocabSize);
    this.#addedTokens = addedTokens(tokenizer);
    this.#state = this.#automaton.start;
  }

  /** The answer so far satisfies the constraint. */
  get isComplete(): boolean {
    return this.#state.accepting;
  }

  /** It is complete, and nothing more may come. */
  get isFinished(): boolean {
    return this.#state.accepting && this.#state.threads.length === 0;
  }

  /**
   * A copy of logits in which every token is −∞ that neither may come next nor is one of `free`.
   * @throws ConstraintError when none is left
   */
  masked(logits: Float32Array, free: readonly number[]): Float32Array {
    const mask = this.#automaton.mask(this.#state);
    const result = new Float32Array(logits.length).fill(-Infinity);
    let left = free.length;
    for (const id of free) result[id] = logits[id]!;
    for (let word = 0; word < mask.length; word++) {
      for (let bits = mask[word]!; bits !== 0; bits &= bits - 1) {
        const id = word * 32 + 31 - Math.clz32(bits & -bits);
        result[id] = logits[id]!;
        left += 1;
      }
    }
    if (left === 0) throw new ConstraintError("constraint: no token can go on with this answer");
    return result;
  }

  /** The text of a mark that is one token: it belongs to the answer, as control tokens do not. */
  markText(id: number): string | undefined {
    return this.#addedTokens.get(id);
  }

  /** Takes a token of the answer; one that does not fit, which only a forced one can be, is passed over. */
  accept(id: number): void {
    const next = this.#automaton.next(this.#state, id);
    if (!next) return;
    this.#state = next;
    this.hasBegun = true;
  }
}

/** @throws ConstraintError when the constraint cannot be kept, naming what in it */
export function checkConstraint(constraint: Constraint): void {
  byteAutomaton(constraint);
}

const lineBreaks = repeat(characters([0x0a, 0x0a]), 0, 2);

/** Line breaks may stand before an answer: they belong to the end of the thought. */
function byteAutomaton(constraint: Constraint): ByteAutomaton {
  return new ByteAutomaton(
    compileExpression(sequence(lineBreaks, constraintExpression(constraint))),
  );
}

function constraintExpression(constraint: Constraint): Expression {
  switch (constraint.type) {
    case "json_object":
      return jsonObject;
    case "json_schema":
      return jsonSchemaExpression(constraint.schema);
    case "text":
      return text(constraint.text);
    case "mark":
      return choice(addedToken(constraint.text), text(constraint.text));
    case "pattern": {
      const options = {
        characters: (ranges: readonly CodePoints[]) => characters(...ranges),
        searches: false,
      };
      return patternExpression(constraint.pattern, options);
    }
    case "sequence":
      return sequence(...constraint.parts.map(constraintExpression));
    case "choice":
      return choice(...constraint.options.map(constraintExpression));
    case "repeat": {
      const { of, min, max = Infinity } = constraint;
      if (min > max) throw new ConstraintError(`repeat: expected min up to ${max}, found ${min}`);
      return repeat(constraintExpression(of), min, max);
    }
    case "triggered":
      return triggered(constraint.trigger, constraintExpression(constraint.follows));
  }
}

/** Automata that were used last, of each tokenizer: their masks serve the next answers too. */
const automata = new WeakMap<TextTokenizer, Map<string, TokenAutomaton>>();
const maximalAutomata = 16;

function automatonOf(
  constraint: Constraint,
  tokenizer: TextTokenizer,
  vocabSize: number,
): TokenAutomaton {
  const known = automata.get(tokenizer) ?? new Map<string, TokenAutomaton>();
  automata.set(tokenizer, known);
  const key = JSON.stringify([vocabSize, constraint]);
  const automaton =
    known.get(key) ??
    new TokenAutomaton(byteAutomaton(constraint), vocabularyOf(tokenizer, vocabSize));
  // The last of the map is the one used last.
  known.delete(key);
  known.set(key, automaton);
  if (known.size > maximalAutomata) known.delete(known.keys().next().value!);
  return automaton;
}
