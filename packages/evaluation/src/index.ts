export { generationAnswerer, readReply, type Ask } from "./answering/answer-by-generation.ts";
export { LikelihoodAnswerer, type Encode } from "./answering/answer-by-likelihood.ts";
export type { Answerer } from "./answering/answerer.ts";
export { contextAnswerer, type ContextPrediction } from "./context/answer-in-context.ts";
export {
  contextMarkdown,
  contextResults,
  type ContextReport,
  type ContextResult,
  type ContextRun,
} from "./context/context-report.ts";
export {
  ContextError,
  questionsOfContext,
  type ChatTurn,
  type ContextItem,
  type ContextOptions,
  type ContextPrompt,
  type ContextSuite,
  type EncodeChat,
} from "./context/context-suite.ts";
export { contextSuites, type ContextSuiteOptions } from "./context/context-suites.ts";
export { proseHaystack, textHaystack, type Haystack } from "./context/haystack.ts";
export type { PairForm } from "./context/key-value-suite.ts";
export { mrcrFileSuite, type MrcrRecord } from "./context/mrcr-file.ts";
export { mrcrScore } from "./context/mrcr-suite.ts";
export { DataError, MissingDataError } from "./data/data-error.ts";
export type { Item, Split } from "./data/item.ts";
export type { SourceFile } from "./data/table.ts";
export { headAnswerer, headExamples } from "./head/answer-by-head.ts";
export { AnswerHead, type Pooling } from "./head/answer-head.ts";
export {
  fineTuneHead,
  headParameters,
  type FineTuneOptions,
  type HeadCheckpoints,
} from "./head/fine-tune-head.ts";
export type { HeadExample } from "./head/head-objective.ts";
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
export { sequenceRatio } from "./metrics/sequence-ratio.ts";
export { MetricError } from "./metrics/metric-error.ts";
export { boxedAnswer, isSameMathAnswer, mathAnswer } from "./reasoning/math-answer.ts";
export { parseMathProblems, type MathProblem } from "./reasoning/math-problems.ts";
export {
  mathReasoningProblems,
  taskProblems,
  type ReasoningProblem,
} from "./reasoning/reasoning-problem.ts";
export { scoreSamples, type JudgedSample, type SampleScore } from "./reasoning/score-samples.ts";
export { majorityScore, scoreTask, type TaskScore } from "./report/score-task.ts";
export {
  reportMarkdown,
  suiteReport,
  type SuiteReport,
  type TaskResult,
} from "./report/suite-report.ts";
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
