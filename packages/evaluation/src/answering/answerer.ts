import type { Item } from "../data/item.ts";
import type { AnswerKind, SubmittedPrediction } from "../suites/benchmark-task.ts";

/** What answers the items of one task. */
export interface Answerer<Asked = Item, Prediction = SubmittedPrediction> {
  /** How many are answered at once. */
  readonly together: number;
  /** A prediction for each item, in their order. */
  answer(items: readonly Asked[]): Promise<Prediction[]>;
  dispose(): void;
}

/** A class or a choice as a prediction. */
export function chosen(kind: AnswerKind, item: Item, value: number): SubmittedPrediction {
  const text =
    kind.type === "choice" && kind.told === "text" ? (item.choices![value] ?? "") : undefined;
  return { id: item.id, value, ...(text !== undefined && { text }) };
}

/** Place of the largest number, the first of equal ones. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
