import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import type { ServerSettings } from "./base-server.ts";
import type { Answering, ServerOptions } from "./create-server.ts";
import { engineLimits, type EngineLimits } from "./engine/engine.ts";
import type { FileLimits } from "./jobs/file-limits.ts";
import { Jobs } from "./jobs/jobs.ts";
import { FlagError } from "./flag-error.ts";
import { ListenError } from "./listen-error.ts";
import type { LoadOptions } from "./load-served-model.ts";
import { openAccess, type AccessOptions } from "./security/access.ts";
import { openDatabase } from "./sessions/open-database.ts";
import type { SessionOptions } from "./sessions/session-flags.ts";
import { upstreamServer } from "./upstream-server.ts";
import { Upstreams } from "./upstream/upstreams.ts";

/** No well-known service uses it. */
export const defaultPort = 8420;

/** What is to answer requests. */
export interface AnswerOptions extends LoadOptions {
  /** Answers computed together; default 8. */
  maxBatch?: number | undefined;
  /** Loads the model into a thread of its own, so that the server stays responsive; default true. */
  worker?: boolean | undefined;
  /** Addresses of OpenAI-compatible engines that answer in place of a model here. */
  upstreams?: readonly string[] | undefined;
  /** Sent to the upstreams as a bearer token. */
  upstreamKey?: string | undefined;
  logger?: FastifyBaseLogger | undefined;
}

export interface StartOptions
  extends
    AnswerOptions,
    AccessOptions,
    SessionOptions,
    Omit<ServerSettings, "security" | "jobs" | "database" | keyof SessionOptions> {
  /** Default 127.0.0.1: this machine alone. */
  host?: string | undefined;
  /** Default 8420; 0 takes any free one. */
  port?: number | undefined;
  /** Longer prompts are refused; default: as long as the context. Not with upstreams. */
  maxPromptTokens?: number | undefined;
  /** Redis that files and batches are kept in; without it there are none. */
  redis?: string | undefined;
  /** How many files an API key may have, and how large. */
  fileLimits?: Partial<FileLimits> | undefined;
}

export interface RunningServer {
  url: string;
  modelId: string;
  /** Takes no new requests, lets running answers finish for a while, then ends. */
  close(): Promise<void>;
}

/**
 * Loads a model, serves it until SIGINT or SIGTERM, and prints where when it is loaded; until then
 * the server says that it is not ready. Programs that want neither the line nor the signals use
 * `loadServedModel` and `createServer`.
 *
 * @throws ListenError, ApiKeyError, DatabaseError, FlagError, RedisUnavailableError, UpstreamUrlError, and
 *   what `loadServedModel` throws
 */
export async function startServer(options: StartOptions = {}): Promise<RunningServer> {
  const { host = "127.0.0.1", port = defaultPort, maxPromptTokens } = options;
  if (options.upstreams && maxPromptTokens !== undefined) throw unboundPrompts();
  const security = openAccess(host, options);
  const { jobs, database, answering } = await openParts(options);
  const app = await newServer({
    ...options,
    ...answering,
    ...(maxPromptTokens !== undefined && { maxPromptTokens }),
    security,
    jobs,
    database,
  });
  try {
    const url = await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
      throw listenError(error, host, port);
    });
    const modelId = nameOf(answering);
    const server = { url, modelId, close: () => app.close().then(() => {}) };
    closeOnSignals(server);
    await untilLoaded(answering);
    console.log(`levin: ${modelId || "no upstream"} is ready at ${url} (API: ${url}/v1)`);
    return server;
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** What a server stands on; what was opened is closed again when the rest can't be, so that the process ends. */
async function openParts(options: StartOptions) {
  const { redis, logger, fileLimits: limits, data, database: url } = options;
  const opened: { close(): Promise<void> }[] = [];
  try {
    const jobs = redis === undefined ? undefined : await Jobs.open(redis, { logger, limits });
    if (jobs) opened.push(jobs);
    // Before the model is loaded: what is wrong with it is told at once.
    const database = await openDatabase({ data, url });
    opened.push(database);
    const answering = await whatAnswers(options, engineLimits(options));
    return { jobs, database, answering };
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}

/** As `createServer`, but loads what runs models only where there is one. */
export async function newServer(options: ServerOptions): Promise<FastifyInstance> {
  if ("upstreams" in options) return upstreamServer(options);
  const { modelServer } = await import("./model-server.ts");
  return modelServer(options);
}

/** Upstreams, or a model in a thread of its own, where it may still be loading, or in this one. */
export async function whatAnswers(
  options: AnswerOptions,
  limits: EngineLimits,
): Promise<Answering> {
  const { logger, worker = true, model, backend, stages, modelId } = options;
  const { upstreams: urls, upstreamKey: key } = options;
  if (urls) return { upstreams: await Upstreams.start({ urls, key, logger }) };
  const load = { model, backend, stages, modelId };
  const { loadServedModel, readServedModel } = await import("./load-served-model.ts");
  if (!worker) return loadServedModel(load);
  const { WorkerEngine } = await import("./engine/worker-engine.ts");
  const served = await readServedModel(load);
  return { ...served, engine: new WorkerEngine({ load, limits, logger }) };
}

/** @throws what `loadServedModel` throws */
export async function untilLoaded(answering: Answering): Promise<void> {
  if ("engine" in answering && "loaded" in answering.engine) await answering.engine.loaded;
}

function unboundPrompts(): FlagError {
  return new FlagError(
    "--max-prompt-tokens: this server has no tokenizer of its upstreams; bound prompts there " +
      "(vLLM: --max-model-len; Levin: --max-prompt-tokens), or requests by --body-limit",
  );
}

function nameOf(answering: Answering): string {
  if (!("upstreams" in answering)) return answering.modelId;
  return answering.upstreams.models.map(({ id }) => id).join(", ");
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ListenError {
  const message =
    error.code === "EADDRINUSE"
      ? `port ${port} of ${host} is taken; choose another one with --port`
      : `cannot listen on ${host}:${port}: ${error.message}`;
  return new ListenError(message, { cause: error });
}

/** A second signal ends the process at once. */
export function closeOnSignals(server: { close(): Promise<void> }): void {
  let closing = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    // 128 + the signal's number, as shells report it.
    if (closing) process.exit(signal === "SIGINT" ? 130 : 143);
    closing = true;
    void server.close().then(() => process.exit(0));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}
