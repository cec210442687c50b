export { ChatDatasetError, readChatDataset, type Conversation } from "./chat-dataset.ts";
export { loadLora, saveLora } from "./lora/lora-files.ts";
export { restoreParameters, saveParameters, type Parametrised } from "./parameter-files.ts";
export {
  loadLoraCheckpoint,
  loadTrainingCheckpoint,
  saveTrainingCheckpoint,
  TrainingCheckpointError,
  type TrainedWithHead,
  type TrainingSettings,
} from "./training-checkpoint.ts";
