export type { ServerSettings } from "./base-server.ts";
export { createServer, type ServerOptions } from "./create-server.ts";
export { pageFiles } from "./page-files.ts";
export { ApiKeyError, type KeyLimits, type StoredKey } from "./security/api-key.ts";
export type { AccessOptions } from "./security/access.ts";
export { checkHosts, type HostCheckOptions } from "./security/host-check.ts";
export { KeyFolder } from "./security/key-folder.ts";
export { KeyRing } from "./security/key-ring.ts";
export { UsageBook, type KeyUsage, type UsageCounts } from "./security/key-usage.ts";
export { runKeysCommand } from "./security/keys-command.ts";
export type { ConnectionLimits } from "./security/connection-limits.ts";
export type { SecuritySettings } from "./security/protect.ts";
export { securityHeaders } from "./security/security-headers.ts";
export {
  engineLimits,
  type Engine,
  type EngineLimits,
  type EngineStats,
  type GenerationSettings,
} from "./engine/engine.ts";
export { WorkerEngine, type WorkerEngineOptions } from "./engine/worker-engine.ts";
export { runServeCommand } from "./serve-command.ts";
export { ListenError } from "./listen-error.ts";
export { loadServedModel, readServedModel, type LoadOptions } from "./load-served-model.ts";
export {
  describeModel,
  type LoadedModel,
  type ModelDescription,
  type SamplingDefaults,
  type ServedModel,
} from "./served-model.ts";
export {
  JobRuns,
  type JobData,
  type Outcome,
  type OutcomeStatus,
  type QueueCounts,
  type Run,
  type StopReason,
} from "./jobs/job-runs.ts";
export { JobFileError, JobFiles } from "./jobs/job-files.ts";
export {
  NotYet,
  startJobWorker,
  type JobHandler,
  type JobWorkerOptions,
} from "./jobs/job-worker.ts";
export { Jobs } from "./jobs/jobs.ts";
export { openRedis, RedisUnavailableError } from "./jobs/redis-connection.ts";
export { startWorker, type OtherWork, type StartWorkerOptions } from "./jobs/start-worker.ts";
export { runWorkerCommand, type WorkerModel } from "./jobs/worker-command.ts";
export { UpstreamUrlError } from "./upstream/upstream-url.ts";
export { Upstreams, type UpstreamsOptions } from "./upstream/upstreams.ts";
export { defaultPort, startServer, type RunningServer, type StartOptions } from "./start-server.ts";
