export { convertToGguf } from "./convert-to-gguf.ts";
export { loadText, modelDirectory } from "./load-bundle.ts";
export { createProgram } from "./program.ts";
export { quantizeModel } from "./quantize-model.ts";
export { readTasks } from "./task-names.ts";
