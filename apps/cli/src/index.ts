export { loadText, modelDirectory } from "./load-bundle.ts";
export { createProgram } from "./program.ts";
export { toTasks } from "./task-names.ts";
