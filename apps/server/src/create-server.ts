import Fastify, { type FastifyBaseLogger, type FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { chatCompletions } from "./api/chat-completions.ts";
import { embeddings } from "./api/embeddings.ts";
import { answerFrameworkError, handleErrors } from "./api/error-handling.ts";
import { jsonBodies } from "./api/json-bodies.ts";
import { models } from "./api/models.ts";
import { openApi } from "./api/openapi.ts";
import { modelAnswers } from "./api/responses/response-answers.ts";
import { ResponseStore } from "./api/responses/response-store.ts";
import { responses } from "./api/responses/responses.ts";
import { textCompletions } from "./api/text-completions.ts";
import { tokenization } from "./api/tokenization.ts";
import { engineLimits, type Engine } from "./engine/engine.ts";
import { LocalEngine } from "./engine/local-engine.ts";
import { chargeBatches } from "./jobs/charge-batches.ts";
import { jobRoutes } from "./jobs/job-routes.ts";
import type { Jobs } from "./jobs/jobs.ts";
import { modelFiles } from "./model-files.ts";
import { builtPageDirectory, pageFiles } from "./page-files.ts";
import { GenerationService } from "./scheduling/generation-service.ts";
import { connectionOptions } from "./security/connection-limits.ts";
import { meteredEngine } from "./security/metered-engine.ts";
import { protect, type SecuritySettings } from "./security/protect.ts";
import { tactfulLogger } from "./security/tactful-logger.ts";
import { jobMetrics } from "./observability/job-metrics.ts";
import { requestId, returnRequestIds } from "./observability/request-id.ts";
import { SessionMetrics } from "./observability/session-metrics.ts";
import { ServiceMetrics } from "./observability/service-metrics.ts";
import { healthRoutes, metricsRoute } from "./observability/status-routes.ts";
import { upstreamMetrics } from "./observability/upstream-metrics.ts";
import { endAnswersOnClose } from "./scheduling/end-answers-on-close.ts";
import { tellClients } from "./scheduling/tell-clients.ts";
import type { LoadedModel, ServedModel } from "./served-model.ts";
import { lazyDatabase } from "./sessions/lazy-database.ts";
import { ModelAnswerer } from "./sessions/model-answerer.ts";
import { registerSessions, type SessionSettings } from "./sessions/register-sessions.ts";
import { upstreamResponses } from "./upstream/response-answers.ts";
import { sessionTurns } from "./upstream/session-turns.ts";
import { UpstreamAnswerer } from "./upstream/upstream-answerer.ts";
import { upstreamRoutes } from "./upstream/upstream-routes.ts";
import type { Upstreams } from "./upstream/upstreams.ts";

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

/** A model in this thread, or what is known of one and the engine that has it. */
type ServingModel = LoadedModel | (ServedModel & { engine: Engine });

/** What answers requests: a model, or other engines that have some. */
export type Answering = ServingModel | { upstreams: Upstreams };

export type ServerOptions = ServerSettings & Answering;

const defaultGrace = 5000;
const defaultStallTimeout = 30_000;

/**
 * An OpenAI-compatible HTTP server with a chat page at `/`. Nothing listens yet:
 * call `listen`, or `inject` requests. Closing it lets running answers finish for a while.
 */
export function createServer(options: ServerOptions): FastifyInstance {
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
  if ("upstreams" in options) upstreamServer(app, options, registry);
  else modelServer(app, options, registry);
  jobRoutes(app, options.jobs);
  if (options.jobs) jobMetrics(registry, options.jobs);
  if (options.jobs && accounts) chargeBatches(app, options.jobs.keyUse, accounts);
  pageFiles(app, options.pageDirectory ?? builtPageDirectory);
  return app;
}

/** The API's routes, answered by other engines. */
function upstreamServer(
  app: FastifyInstance,
  options: ServerSettings & { upstreams: Upstreams },
  registry: Registry,
): void {
  const { upstreams, stallTimeout = defaultStallTimeout, shutdownGrace = defaultGrace } = options;
  app.addHook("onClose", () => upstreams.close());
  upstreamMetrics(registry, upstreams.all);
  const database = lazyDatabase(app, options.database);
  const beginTurn = registerSessions(app, new UpstreamAnswerer(upstreams), database, options);
  upstreamRoutes(app, upstreams, stallTimeout, sessionTurns(upstreams, beginTurn, stallTimeout));
  const store = new ResponseStore(database, options.responseQuota);
  responses(app, upstreamResponses(upstreams), store, stallTimeout);
  endAnswersOnClose(app, upstreams, shutdownGrace);
}

/** The API's routes, answered by a model. */
function modelServer(
  app: FastifyInstance,
  options: ServerSettings & ServingModel,
  registry: Registry,
): void {
  const { queueCapacity = 128, queueTokens = 2 ** 20, requestTimeout } = options;
  const { stallTimeout = defaultStallTimeout, shutdownGrace = defaultGrace } = options;
  const { maxBatch, prefixCacheBytes } = engineLimits(options);
  const engine = meteredEngine(
    "engine" in options ? options.engine : new LocalEngine(options, { maxBatch, prefixCacheBytes }),
  );
  const limits = { maxBatch, queueCapacity, queueTokens, requestTimeout };
  const service = new GenerationService(options, engine, limits, new ServiceMetrics(registry));
  // Hooks of this kind run last come, first served: the engine is there for all others.
  app.addHook("onClose", () => engine.close());
  healthRoutes(app, service);
  models(app, options);
  const database = lazyDatabase(app, options.database);
  const metrics = new SessionMetrics(registry);
  const answerer = new ModelAnswerer({ served: options, engine, metrics, log: app.log });
  const beginTurn = registerSessions(app, answerer, database, options);
  chatCompletions(app, service, stallTimeout, beginTurn);
  textCompletions(app, service, stallTimeout);
  const store = new ResponseStore(database, options.responseQuota);
  responses(app, modelAnswers(service), store, stallTimeout);
  embeddings(app, service);
  tokenization(app, options);
  modelFiles(app, options);
  endAnswersOnClose(app, service, shutdownGrace);
}
