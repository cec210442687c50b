export { createServer, type ServerOptions } from "./create-server.ts";
export { pageFiles } from "./page-files.ts";
export { loadServedModel, type LoadOptions } from "./load-served-model.ts";
export {
  describeModel,
  type ModelDescription,
  type SamplingDefaults,
  type ServedModel,
} from "./served-model.ts";
export {
  defaultPort,
  ListenError,
  startServer,
  type RunningServer,
  type StartOptions,
} from "./start-server.ts";
