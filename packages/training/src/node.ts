export { loadTrainingCheckpoint, saveTrainingCheckpoint } from "./training-checkpoint.ts";
