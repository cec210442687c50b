/** What is still to be made: `template` with its "?" replaced by `target` is the whole problem. */
interface Goal {
  template: string;
  target: number;
  numbers: readonly number[];
}

/**
 * Makes `target` of all the numbers by searching backwards from it: takes one number off by the
 * inverse of * (where it divides), + or -, until two are left, whose sum, difference and product are
 * compared with what remains. Each line carries what the finished expression will look like:
 *
 *     make 23: 3 5 8
 *     ?+3 23-3=20: 5 8: 5+8=13 8-5=3 5*8=40 no
 *     ?-3 23+3=26: 5 8: 5+8=13 8-5=3 5*8=40 no
 *     ?+5 23-5=18: 3 8: 3+8=11 8-3=5 3*8=24 no
 *     ...
 *     ?+8 23-8=15: 3 5: 3+5=8 5-3=2 3*5=15 yes
 *     3*5+8
 *
 * With more numbers, a goal whose ways all fail is left by "back -3: ? 23: 3 5 8 9", which says what
 * failed and restates the goal above. Undefined when nothing is found within `longest` characters.
 */
export function searchCountdown(
  numbers: readonly number[],
  target: number,
  longest: number,
): { lines: string[]; answer: string } | undefined {
  const search = solve({ template: "?", target, numbers });
  const lines = [`make ${target}: ${numbers.join(" ")}`];
  let length = lines.join("").length;
  for (;;) {
    const { value, done } = search.next();
    if (value === undefined) return undefined;
    lines.push(value);
    length += 1 + value.length;
    if (length > longest) return undefined;
    if (done) return { lines, answer: value };
  }
}

/** Writes the lines of the search one by one and returns the finished expression, if there is one. */
function* solve(goal: Goal): Generator<string, string | undefined> {
  for (const [place, number] of goal.numbers.entries()) {
    const numbers = goal.numbers.toSpliced(place, 1);
    for (const { step, template, target } of waysToTakeOff(goal, number)) {
      const head = `${template} ${step}: ${numbers.join(" ")}`;
      if (numbers.length === 2) {
        const { tried, fit } = tryPair(numbers, target);
        yield `${head}: ${tried.join(" ")} ${fit ? "yes" : "no"}`;
        if (fit) return fill(template, fit);
      } else {
        yield head;
        const found = yield* solve({ template, target, numbers });
        if (found !== undefined) return found;
        const failed = step.slice(String(goal.target).length, step.indexOf("="));
        yield `back ${failed}: ${goal.template} ${goal.target}: ${goal.numbers.join(" ")}`;
      }
    }
  }
  return undefined;
}

/** Compares sum, difference and product of two numbers with the target, up to the first that fits. */
function tryPair(pair: readonly number[], target: number): { tried: string[]; fit?: string } {
  const tried: string[] = [];
  for (const [expression, value] of pairExpressions(pair)) {
    tried.push(`${expression}=${value}`);
    if (value === target) return { tried, fit: expression };
  }
  return { tried };
}

/** The ways to make the target with `number` as its last operand. */
function waysToTakeOff({ template, target }: Goal, number: number) {
  const way = (sign: string, inverse: string, left: number) => ({
    step: `${target}${inverse}${number}=${left}`,
    template: fill(template, `?${sign}${number}`),
    target: left,
  });
  return [
    ...(number > 1 && target % number === 0 ? [way("*", "/", target / number)] : []),
    ...(target > number ? [way("+", "-", target - number)] : []),
    way("-", "+", target + number),
  ];
}

function pairExpressions([a = 0, b = 0]: readonly number[]): [string, number][] {
  const [high, low] = [Math.max(a, b), Math.min(a, b)];
  return [
    [`${a}+${b}`, a + b],
    [`${high}-${low}`, high - low],
    [`${a}*${b}`, a * b],
  ];
}

/** Puts an expression in place of "?", which always comes first; brackets only before "*". */
function fill(template: string, expression: string): string {
  const bracketed = template.includes("?*") && /[+-]/.test(expression);
  return template.replace("?", bracketed ? `(${expression})` : expression);
}
