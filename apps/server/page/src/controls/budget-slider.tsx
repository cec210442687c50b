import type { JSX } from "preact";

const positions: readonly (number | null)[] = [0, 16, 32, 64, 128, 256, 512, null];

/** Sets how much the model may think before it answers: tokens, null is no limit. */
export function BudgetSlider({
  budget,
  onBudget,
}: {
  budget: number | null;
  onBudget: (budget: number | null) => void;
}): JSX.Element {
  const words = describe(budget);
  return (
    <label class="budget">
      <span>Thinking</span>
      <input
        type="range"
        min={0}
        max={positions.length - 1}
        value={positions.indexOf(budget)}
        aria-label="Thinking budget"
        aria-valuetext={words}
        onInput={(event) => onBudget(positions[event.currentTarget.valueAsNumber] ?? null)}
      />
      <output>{words}</output>
    </label>
  );
}

function describe(budget: number | null): string {
  if (budget === null) return "unlimited";
  return budget === 0 ? "none" : `${budget} tokens`;
}
