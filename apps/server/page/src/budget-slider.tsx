import type { JSX } from "preact";

/** Tokens that a thought may take; undefined is no limit. */
export type ThinkingBudget = number | undefined;

export const unlimited: ThinkingBudget = undefined;

const positions: readonly ThinkingBudget[] = [0, 16, 32, 64, 128, 256, 512, unlimited];

/** Sets how much the model may think before it answers. */
export function BudgetSlider({
  budget,
  onBudget,
}: {
  budget: ThinkingBudget;
  onBudget: (budget: ThinkingBudget) => void;
}): JSX.Element {
  const words = describe(budget);
  return (
    <label class="budget">
      <span>Thinking budget</span>
      <input
        type="range"
        min={0}
        max={positions.length - 1}
        value={positions.indexOf(budget)}
        aria-valuetext={words}
        onInput={(event) => onBudget(positions[event.currentTarget.valueAsNumber])}
      />
      <output>{words}</output>
    </label>
  );
}

function describe(budget: ThinkingBudget): string {
  if (budget === unlimited) return "unlimited";
  return budget === 0 ? "none" : `${budget} tokens`;
}
