import { expectPairs } from "./metric-error.ts";

/** A class by its number. */
export type ClassIndex = number;

/** Share of predictions that are the label. Throws MetricError when there is nothing, or lengths differ. */
export function accuracy(
  labels: readonly ClassIndex[],
  predictions: readonly ClassIndex[],
): number {
  expectPairs("accuracy", labels, predictions);
  return labels.filter((label, i) => label === predictions[i]).length / labels.length;
}

/**
 * F1 of one class, 2·tp / (2·tp + fp + fn); 0 when the class is neither labelled nor predicted.
 *
 * @param positive the class, 1 unless told otherwise
 * @throws MetricError when there is nothing, or lengths differ
 */
export function f1(
  labels: readonly ClassIndex[],
  predictions: readonly ClassIndex[],
  positive: ClassIndex = 1,
): number {
  expectPairs("F1", labels, predictions);
  const hits = labels.filter((label, i) => label === positive && predictions[i] === positive);
  const counted = [...labels, ...predictions].filter((each) => each === positive).length;
  return counted === 0 ? 0 : (2 * hits.length) / counted;
}

/**
 * Mean F1 over the classes that are labelled or predicted. A negative prediction, which stands for no
 * answer, is wrong and no class of its own. Throws MetricError as {@link f1}.
 */
export function macroF1(labels: readonly ClassIndex[], predictions: readonly ClassIndex[]): number {
  expectPairs("macro F1", labels, predictions);
  const classes = [...new Set([...labels, ...predictions.filter((each) => each >= 0)])];
  const sum = classes.reduce((total, each) => total + f1(labels, predictions, each), 0);
  return sum / classes.length;
}

/**
 * Matthews' correlation in the form for any number of classes (Gorodkin 2004), −1 to 1; 0 when labels
 * or predictions are of one class only. Throws MetricError when there is nothing, or lengths differ.
 */
export function matthews(
  labels: readonly ClassIndex[],
  predictions: readonly ClassIndex[],
): number {
  expectPairs("Matthews' correlation", labels, predictions);
  const count = labels.length;
  const correct = labels.filter((label, i) => label === predictions[i]).length;
  const [labelled, predicted] = [countsOf(labels), countsOf(predictions)];
  const together = (a: Map<ClassIndex, number>, b: Map<ClassIndex, number>): number =>
    [...a].reduce((sum, [each, times]) => sum + times * (b.get(each) ?? 0), 0);
  const spread = (counts: Map<ClassIndex, number>): number =>
    count * count - together(counts, counts);
  const scale = Math.sqrt(spread(labelled)) * Math.sqrt(spread(predicted));
  return scale === 0 ? 0 : (correct * count - together(labelled, predicted)) / scale;
}

function countsOf(classes: readonly ClassIndex[]): Map<ClassIndex, number> {
  const counts = new Map<ClassIndex, number>();
  for (const each of classes) counts.set(each, (counts.get(each) ?? 0) + 1);
  return counts;
}
