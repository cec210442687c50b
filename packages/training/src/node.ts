export {
  loadTrainingCheckpoint,
  saveTrainingCheckpoint,
  TrainingCheckpointError,
  type TrainingSettings,
} from "./training-checkpoint.ts";
