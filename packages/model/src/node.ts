export { readConfig, weightFiles } from "./checkpoint/checkpoint-files.ts";
export { fileSource, readSafetensorsFile, type FileSource } from "./checkpoint/file-source.ts";
export { quantizeCheckpoint, type QuantizeOptions } from "./checkpoint/quantize-checkpoint.ts";
export {
  saveCheckpoint,
  writeSafetensorsFile,
  type SaveOptions,
} from "./checkpoint/save-checkpoint.ts";
export { exportGguf, type ExportGgufOptions } from "./gguf/export-gguf.ts";
export type { GgufType } from "./gguf/gguf-types.ts";
export type { GgufMetadata, GgufValue } from "./gguf/write-gguf.ts";
export { readJsonFile } from "./checkpoint/read-json-file.ts";
export { loadModel, saveModel } from "./load-model.ts";
export {
  loadForGeneration,
  loadStagedModel,
  type StagedOptions,
} from "./stages/load-staged-model.ts";
export { StageError } from "./stages/stage-error.ts";
export { StagedModel } from "./stages/staged-model.ts";
export type { StagedState } from "./stages/staged-state.ts";
