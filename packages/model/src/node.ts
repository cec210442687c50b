export {
  fileSource,
  readConfig,
  readSafetensorsFile,
  saveCheckpoint,
  weightFiles,
  writeSafetensorsFile,
  type SaveOptions,
} from "./checkpoint/checkpoint-files.ts";
export { loadModel, saveModel } from "./load-model.ts";
