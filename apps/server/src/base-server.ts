import Fastify, { type FastifyBaseLogger, type FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { answerFrameworkError, handleErrors } from "./api/error-handling.ts";
import { jsonBodies } from "./api/json-bodies.ts";
import { openApi } from "./api/openapi.ts";
import { chargeBatches } from "./jobs/charge-batches.ts";
import { jobRoutes } from "./jobs/job-routes.ts";
import type { Jobs } from "./jobs/jobs.ts";
import { jobMetrics } from "./observability/job-metrics.ts";
import { requestId, returnRequestIds } from "./observability/request-id.ts";
import { metricsRoute } from "./observability/status-routes.ts";
import { builtPageDirectory, pageFiles } from "./page-files.ts";
import { tellClients } from "./scheduling/tell-clients.ts";
import { connectionOptions } from "./security/connection-limits.ts";
import { protect, type SecuritySettings } from "./security/protect.ts";
import { tactfulLogger } from "./security/tactful-logger.ts";
import type { SessionSettings } from "./sessions/register-sessions.ts";

export interface ServerSettings extends SessionSettings {
  /** A pino logger. Prompts and answers are never logged. Default: none. */
  logger?: FastifyBaseLogger | undefined;
  /** Bytes of the largest request body; default 8 MiB. */
  bodyLimit?: number | undefined;
  /** Answers that run together, in one decoding step; default 8. */
  maxBatch?: number | undefined;
  /** Requests that may wait for a place among them; default 128. */
  queueCapacity?: number | undefined;
  /** Prompt tokens of those that wait; default 1,048,576. */
  queueTokens?: number | undefined;
  /** Milliseconds from a request to the end of its answer, which ends with what is there; default: no limit. */
  requestTimeout?: number | undefined;
  /** Memory for the states of earlier prompts, so that a next turn costs only its new tokens; default 256 MiB. An engine has its own limit. */
  prefixCacheBytes?: number | undefined;
  /** Milliseconds that running answers get to finish when the server closes; default 5000. */
  shutdownGrace?: number | undefined;
  /** Milliseconds after which a client that stopped reading its stream is cut off; default 30,000. */
  stallTimeout?: number | undefined;
  /** Who may ask, and how. */
  security?: SecuritySettings | undefined;
  /** Files and batches; without them their routes say what is missing. */
  jobs?: Jobs | undefined;
  /** Bytes of the largest model whose files the chat page may fetch, to run it in the browser; default 256 MiB, 0 gives none away. */
  sharedModelBytes?: number | undefined;
  /** Built chat page. */
  pageDirectory?: string | undefined;
}

/** Milliseconds that running answers get when the server closes. */
export const defaultGrace = 5000;
/** Milliseconds that a client may read nothing of its stream. */
export const defaultStallTimeout = 30_000;

/**
 * All of a server but what answers, the same for a model and for other engines.
 * @param answer adds the routes of what answers
 */
export function baseServer(
  options: ServerSettings,
  answer: (app: FastifyInstance, registry: Registry) => void,
): FastifyInstance {
  const { logger, bodyLimit = 8 * 2 ** 20, security = {} } = options;
  const { stallTimeout = defaultStallTimeout } = options;
  const app: FastifyInstance = Fastify({
    ...(logger && { loggerInstance: tactfulLogger(logger) }),
    bodyLimit,
    frameworkErrors: answerFrameworkError,
    return503OnClosing: false,
    ...connectionOptions(security.connections),
    requestIdHeader: false,
    genReqId: requestId,
  });
  const registry = new Registry();
  handleErrors(app);
  jsonBodies(app);
  returnRequestIds(app);
  openApi(app);
  const accounts = protect(app, security, stallTimeout);
  tellClients(app);
  metricsRoute(app, registry);
  answer(app, registry);
  jobRoutes(app, options.jobs);
  if (options.jobs) jobMetrics(registry, options.jobs);
  if (options.jobs && accounts) chargeBatches(app, options.jobs.keyUse, accounts);
  pageFiles(app, options.pageDirectory ?? builtPageDirectory);
  return app;
}
