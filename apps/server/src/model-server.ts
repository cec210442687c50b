import type { FastifyInstance } from "fastify";
import { chatCompletions } from "./api/chat-completions.ts";
import { embeddings } from "./api/embeddings.ts";
import { models } from "./api/models.ts";
import { modelAnswers } from "./api/responses/response-answers.ts";
import { ResponseStore } from "./api/responses/response-store.ts";
import { responses } from "./api/responses/responses.ts";
import { textCompletions } from "./api/text-completions.ts";
import { tokenization } from "./api/tokenization.ts";
import {
  baseServer,
  defaultGrace,
  defaultStallTimeout,
  type ServerSettings,
} from "./base-server.ts";
import { engineLimits, type Engine } from "./engine/engine.ts";
import { LocalEngine } from "./engine/local-engine.ts";
import { modelFiles } from "./model-files.ts";
import { ServiceMetrics } from "./observability/service-metrics.ts";
import { SessionMetrics } from "./observability/session-metrics.ts";
import { healthRoutes } from "./observability/status-routes.ts";
import { endAnswersOnClose } from "./scheduling/end-answers-on-close.ts";
import { GenerationService } from "./scheduling/generation-service.ts";
import { meteredEngine } from "./security/metered-engine.ts";
import type { LoadedModel, ServedModel } from "./served-model.ts";
import { lazyDatabase } from "./sessions/lazy-database.ts";
import { ModelAnswerer } from "./sessions/model-answerer.ts";
import { registerSessions } from "./sessions/register-sessions.ts";

/** A model in this thread, or what is known of one and the engine that has it. */
export type ServingModel = LoadedModel | (ServedModel & { engine: Engine });

/** A server whose requests a model answers. */
export function modelServer(options: ServerSettings & ServingModel): FastifyInstance {
  return baseServer(options, (app, registry) => {
    const { queueCapacity = 128, queueTokens = 2 ** 20, requestTimeout } = options;
    const { stallTimeout = defaultStallTimeout, shutdownGrace = defaultGrace } = options;
    const { maxBatch, prefixCacheBytes } = engineLimits(options);
    const engine = meteredEngine(
      "engine" in options
        ? options.engine
        : new LocalEngine(options, { maxBatch, prefixCacheBytes }),
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
  });
}
