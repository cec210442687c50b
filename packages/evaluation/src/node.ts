export { readMrcr } from "./context/read-mrcr.ts";
export { readItems } from "./data/read-items.ts";
export { loadHead, saveHead } from "./head/head-files.ts";
export { answerItems, type BatchAnswerer } from "./run/answer-items.ts";
export { openPredictionLog, PredictionLogError, type PredictionLog } from "./run/prediction-log.ts";
