export { DataError, MissingDataError } from "./data/data-error.ts";
export type { Item, Split } from "./data/item.ts";
export type { SourceFile } from "./data/table.ts";
export {
  answerWords,
  overlapExactMatch,
  overlapF1,
  type AnsweredQuery,
} from "./metrics/answer-overlap.ts";
export { accuracy, f1, macroF1, matthews, type ClassIndex } from "./metrics/classification.ts";
export { pearson, spearman } from "./metrics/correlation.ts";
export {
  answerF1,
  genderParity,
  questionExactMatch,
  type JudgedAnswer,
} from "./metrics/grouped-answers.ts";
export { metrics, type Judged, type MetricName } from "./metrics/judge.ts";
export { MetricError } from "./metrics/metric-error.ts";
export type {
  AnswerKind,
  BenchmarkTask,
  Source,
  SubmittedPrediction,
  Suite,
} from "./suites/benchmark-task.ts";
export { glue } from "./suites/glue.ts";
export { superglue } from "./suites/superglue.ts";
export type { Template } from "./suites/templates.ts";
