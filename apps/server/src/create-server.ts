import Fastify, { type FastifyBaseLogger, type FastifyInstance } from "fastify";
import { chatCompletions } from "./api/chat-completions.ts";
import { embeddings } from "./api/embeddings.ts";
import { answerFrameworkError, handleErrors } from "./api/error-handling.ts";
import { models } from "./api/models.ts";
import { openApi } from "./api/openapi.ts";
import { responses } from "./api/responses/responses.ts";
import { textCompletions } from "./api/text-completions.ts";
import { tokenization } from "./api/tokenization.ts";
import { defaultLimits, type Engine } from "./engine/engine.ts";
import { LocalEngine } from "./engine/local-engine.ts";
import { GenerationService } from "./generation-service.ts";
import { jobRoutes } from "./jobs/job-routes.ts";
import type { Jobs } from "./jobs/jobs.ts";
import { builtPageDirectory, pageFiles } from "./page-files.ts";
import { connectionOptions } from "./security/connection-limits.ts";
import { meteredEngine } from "./security/metered-engine.ts";
import { protect, type SecuritySettings } from "./security/protect.ts";
import type { LoadedModel, ServedModel } from "./served-model.ts";
import { registerSessions, type SessionSettings } from "./sessions/register-sessions.ts";
import { upstreamRoutes } from "./upstream/upstream-routes.ts";
import type { Upstreams } from "./upstream/upstreams.ts";

export interface ServerSettings extends SessionSettings {
  /** A pino logger. Prompts and answers are never logged. Default: none. */
  logger?: FastifyBaseLogger;
  /** Bytes of the largest request body; default 8 MiB. */
  bodyLimit?: number;
  /** Answers that run together, in one decoding step; default 8. */
  maxBatch?: number;
  /** Requests that may wait for a place among them; default 64. */
  queueCapacity?: number;
  /** Memory for the states of earlier prompts, so that a next turn costs only its new tokens; default 256 MiB. An engine has its own limit. */
  prefixCacheBytes?: number;
  /** Milliseconds that running answers get to finish when the server closes; default 5000. */
  shutdownGrace?: number;
  /** Milliseconds after which a client that stopped reading its stream is cut off; default 30,000. */
  stallTimeout?: number;
  /** Who may ask, and how. */
  security?: SecuritySettings;
  /** Files and batches; without them their routes say what is missing. */
  jobs?: Jobs;
  /** Built chat page. */
  pageDirectory?: string;
}

/** A model in this thread, or what is known of one and the engine that has it. */
type ServingModel = LoadedModel | (ServedModel & { engine: Engine });

/** What answers requests: a model, or other engines that have some. */
export type Answering = ServingModel | { upstreams: Upstreams };

export type ServerOptions = ServerSettings & Answering;

/**
 * An OpenAI-compatible HTTP server with a chat page at `/`. Nothing listens yet:
 * call `listen`, or `inject` requests. Closing it lets running answers finish for a while.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const { logger, bodyLimit = 8 * 2 ** 20, shutdownGrace = 5000 } = options;
  const { stallTimeout = 30_000, security = {} } = options;
  const app: FastifyInstance = Fastify({
    ...(logger && { loggerInstance: logger }),
    bodyLimit,
    frameworkErrors: answerFrameworkError,
    return503OnClosing: false,
    ...connectionOptions(security.connections),
  });
  handleErrors(app);
  openApi(app);
  protect(app, security, stallTimeout);
  if ("upstreams" in options) {
    const { upstreams } = options;
    upstreamRoutes(app, upstreams, stallTimeout);
    endAnswersOnClose(app, upstreams, shutdownGrace);
    app.addHook("onClose", () => upstreams.close());
  } else {
    modelRoutes(app, options, stallTimeout, shutdownGrace);
  }
  jobRoutes(app, options.jobs);
  pageFiles(app, options.pageDirectory ?? builtPageDirectory);
  return app;
}

/** The API's routes, answered by a model. */
function modelRoutes(
  app: FastifyInstance,
  options: ServerSettings & ServingModel,
  stallTimeout: number,
  shutdownGrace: number,
): void {
  const { queueCapacity = 64, maxBatch, prefixCacheBytes } = { ...defaultLimits, ...options };
  const engine = meteredEngine(
    "engine" in options ? options.engine : new LocalEngine(options, { maxBatch, prefixCacheBytes }),
  );
  const service = new GenerationService(options, engine, { maxBatch, queueCapacity });
  app.get("/health", { config: { isPublic: true } }, () => ({
    status: "ok",
    model: options.modelId,
    waiting: service.waiting,
  }));
  models(app, options);
  const beginTurn = registerSessions(app, options, engine, options);
  chatCompletions(app, service, stallTimeout, beginTurn);
  textCompletions(app, service, stallTimeout);
  responses(app, service, stallTimeout);
  embeddings(app, options, engine);
  tokenization(app, options);
  endAnswersOnClose(app, service, shutdownGrace);
  app.addHook("onClose", () => engine.close());
}

/** Time for the last words of ended answers to reach their clients. */
const farewell = 1000;

function endAnswersOnClose(
  app: FastifyInstance,
  answers: { abortAll(): void },
  grace: number,
): void {
  const timers: NodeJS.Timeout[] = [];
  app.addHook("preClose", (done) => {
    timers.push(
      setTimeout(() => answers.abortAll(), grace),
      // A client that does not read would keep its connection open.
      setTimeout(() => app.server.closeAllConnections(), grace + farewell),
    );
    done();
  });
  app.addHook("onClose", (_, done) => {
    for (const timer of timers) clearTimeout(timer);
    done();
  });
}
