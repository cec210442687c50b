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
export { MetricError } from "./metrics/metric-error.ts";
