import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { about, listOf } from "../api/openapi.ts";
import { probe } from "../observability/status-routes.ts";
import { isDeparture, toApiError } from "../api/error-handling.ts";
import { clientSignal, errorEvent, untilStalled } from "../api/event-stream.ts";
import { callers, type Caller } from "../security/caller.ts";
import { countedEvents, countUsage } from "./count-usage.ts";
import { checkedBody, forwardedRoutes } from "./forwarded-requests.ts";
import { UpstreamFailure } from "./upstream-failure.ts";
import type { UpstreamReply } from "./upstream-reply.ts";
import { unknownModel, type Upstreams } from "./upstreams.ts";
import { wholeEvents } from "./whole-events.ts";

/** Nothing is read ahead of a slow client. */
const oneAtATime = { highWaterMark: 1 };

const upstreamsField = z.array(
  z.object({
    upstream: z.int(),
    status: z.string(),
    outstanding: z.int(),
  }),
);
const health = z.object({ status: z.string(), upstreams: upstreamsField });

/** The engines' own. */
const cardSchema = z.looseObject({ id: z.string() });

type Path = keyof typeof forwardedRoutes;

/**
 * The API's routes, answered by other engines.
 * @param takeTurn answers chat completions that name a session
 */
export function upstreamRoutes(
  app: FastifyInstance,
  upstreams: Upstreams,
  stallTimeout: number,
  takeTurn: (request: FastifyRequest, reply: FastifyReply) => Promise<object>,
): void {
  const alive = probe("Whether the server's thread runs", health);
  app.get("/health", alive, () => ({ status: "ok", upstreams: describe(upstreams) }));
  app.get("/ready", probe("Whether an engine is available", health), (_, reply) => {
    const { isReady } = upstreams;
    const status = isReady ? "ready" : "no upstream is available";
    return reply.code(isReady ? 200 : 503).send({ status, upstreams: describe(upstreams) });
  });
  upstreamModels(app, upstreams);
  for (const path of Object.keys(forwardedRoutes) as Path[]) {
    const options = about("Passed on to an engine", {
      body: forwardedRoutes[path],
      // Replies are the engine's own.
      ...(!/token|embed/.test(path) && { event: z.unknown() }),
    });
    app.post(path, options, (request, reply) => forward(path, request, reply));
  }

  async function forward(path: Path, request: FastifyRequest, reply: FastifyReply) {
    if (isTurn(path, request.body)) return takeTurn(request, reply);
    const body = checkedBody(path, request.body);
    const sent = JSON.stringify({ ...body, session: undefined });
    const { headers } = request;
    const caller = callers.getStore();
    try {
      const answer = await upstreams.send(
        { path, body: sent, headers: { ...headers, "x-request-id": request.id } },
        body.model,
        clientSignal(reply),
      );
      return sendReply(reply, answer, caller);
    } catch (error) {
      if (error instanceof UpstreamFailure && error.facts.reply) {
        return sendReply(reply, error.facts.reply);
      }
      if (isDeparture(error, reply)) return reply;
      throw upstreams.asApiError(error);
    }
  }

  function sendReply(
    reply: FastifyReply,
    { status, headers, body }: UpstreamReply,
    caller?: Caller,
  ): FastifyReply {
    void reply.code(status).headers(headers);
    if (Buffer.isBuffer(body)) {
      countUsage(caller, body);
      return reply.send(body);
    }
    const counted = countedEvents(caller, withLastWord(reply, body));
    const events = untilStalled(reply, counted, stallTimeout);
    return reply.header("x-accel-buffering", "no").send(Readable.from(events, oneAtATime));
  }

  /** A stream that breaks off ends with an event that says so. */
  async function* withLastWord(reply: FastifyReply, body: Readable): AsyncGenerator<Buffer> {
    try {
      yield* wholeEvents(body);
    } catch (error) {
      if (isDeparture(error, reply)) return;
      reply.log.warn({ err: error }, "a stream of an upstream broke off");
      yield Buffer.from(errorEvent(toApiError(upstreams.asApiError(error))));
    }
  }
}

function isTurn(path: Path, body: unknown): boolean {
  const { session } = (body ?? {}) as { session?: unknown };
  return path === "/v1/chat/completions" && session != null;
}

function upstreamModels(app: FastifyInstance, upstreams: Upstreams): void {
  app.get("/v1/models", about("Lists the models", { reply: listOf(cardSchema) }), () => ({
    object: "list",
    data: upstreams.models,
  }));
  // An id may contain slashes.
  const one = about("A model", { path: "/v1/models/{id}", reply: cardSchema });
  app.get<{ Params: { "*": string } }>("/v1/models/*", one, (request) => {
    const asked = request.params["*"];
    const card = upstreams.models.find(({ id }) => id === asked);
    if (card) return card;
    throw unknownModel(asked);
  });
}

/** By number, in the order they were given: addresses and models are not for those without a key. */
function describe({ all }: Upstreams): object[] {
  return all.map(({ status, outstanding }, i) => ({ upstream: i + 1, status, outstanding }));
}
