import { addedTokenBytes } from "./added-token-bytes.ts";
import { ConstraintError } from "./constraint.ts";
import type { Expression, Rule } from "./expression.ts";
import { utf8Ranges, type ByteRanges } from "./utf8-ranges.ts";

/** One step of a nondeterministic machine over bytes that can call parts of itself. */
export type Instruction =
  | { op: "byte"; low: number; high: number; next: number }
  | { op: "split"; nexts: readonly number[] }
  | { op: "call"; start: number; next: number }
  | { op: "repeat"; start: number; min: number; max: number; next: number }
  | { op: "return" };

export interface Program {
  instructions: readonly Instruction[];
  start: number;
  /** Whether some text leads from each instruction to its `return`. */
  canReturn: readonly boolean[];
}

/** Steps of the largest machine: each takes memory, and about one is needed for each byte of a text. */
const maximalInstructions = 200_000;

/**
 * The machine that matches an expression: `return` at the outermost level accepts.
 * @throws ConstraintError when it would be too large
 */
export function compileExpression(expression: Expression): Program {
  const compiler = new Compiler();
  const start = compiler.compile(expression);
  const { instructions } = compiler;
  return { instructions, start, canReturn: thoseThatReturn(instructions) };
}

/** A rule that needs itself never ends, and a choice of nothing has no text. */
function thoseThatReturn(instructions: readonly Instruction[]): boolean[] {
  const known = instructions.map(({ op }) => op === "return");
  const returns = (instruction: Instruction): boolean => {
    switch (instruction.op) {
      case "return":
        return true;
      case "byte":
        return known[instruction.next]!;
      case "split":
        return instruction.nexts.some((next) => known[next]);
      case "call":
        return known[instruction.start]! && known[instruction.next]!;
      case "repeat":
        return known[instruction.next]! && (instruction.min === 0 || known[instruction.start]!);
    }
  };
  for (let before = -1, count = 0; count > before;) {
    before = count;
    instructions.forEach((instruction, at) => (known[at] ||= returns(instruction)));
    count = known.filter(Boolean).length;
  }
  return known;
}

/** Works from the end to the beginning, so that each step knows the next. */
class Compiler {
  readonly instructions: Instruction[] = [{ op: "return" }];
  readonly #starts = new Map<Rule, number>();
  /** Rules that were called before they were compiled, with the calls. */
  readonly #open: Rule[] = [];
  readonly #calls: { call: { start: number }; rule: Rule }[] = [];

  compile(expression: Expression): number {
    const start = this.#emit(expression, 0);
    for (let rule = this.#open.pop(); rule; rule = this.#open.pop()) {
      this.#starts.set(rule, this.#emit(rule.build(), 0));
    }
    for (const { call, rule } of this.#calls) call.start = this.#starts.get(rule)!;
    return start;
  }

  #emit(expression: Expression, next: number): number {
    switch (expression.kind) {
      case "characters":
        return this.#characters(expression.ranges.flatMap(utf8Ranges), next);
      case "token": {
        const bytes = [...addedTokenBytes(expression.text)];
        return this.#bytes(
          bytes.map((byte) => [byte, byte]),
          next,
        );
      }
      case "sequence":
        return expression.parts.reduceRight((after, part) => this.#emit(part, after), next);
      case "choice":
        return this.#add({
          op: "split",
          nexts: expression.options.map((option) => this.#emit(option, next)),
        });
      case "repeat": {
        const { of, min, max } = expression;
        return this.#add({ op: "repeat", start: this.#emit(of, 0), min, max, next });
      }
      case "rule":
        return this.#call(expression.rule, next);
    }
  }

  #characters(sequences: readonly ByteRanges[], next: number): number {
    const starts = sequences.map((ranges) => this.#bytes(ranges, next));
    return starts.length === 1 ? starts[0]! : this.#add({ op: "split", nexts: starts });
  }

  #bytes(ranges: ByteRanges, next: number): number {
    return ranges.reduceRight(
      (after, [low, high]) => this.#add({ op: "byte", low, high, next: after }),
      next,
    );
  }

  #call(rule: Rule, next: number): number {
    if (!this.#starts.has(rule)) {
      this.#starts.set(rule, -1);
      this.#open.push(rule);
    }
    const call = { op: "call" as const, start: -1, next };
    this.#calls.push({ call, rule });
    return this.#add(call);
  }

  #add(instruction: Instruction): number {
    if (this.instructions.length === maximalInstructions) {
      throw new ConstraintError(`constraint: expected at most ${maximalInstructions} steps`);
    }
    return this.instructions.push(instruction) - 1;
  }
}
