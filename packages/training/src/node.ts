export { ChatDatasetError, readChatDataset, type Conversation } from "./chat-dataset.ts";
export { loadLora, saveLora } from "./lora/lora-files.ts";
export { restoreParameters, saveParameters } from "./parameter-files.ts";
export {
  loadLoraCheckpoint,
  loadTrainingCheckpoint,
  saveTrainingCheckpoint,
  TrainingCheckpointError,
  type TrainingSettings,
} from "./training-checkpoint.ts";
