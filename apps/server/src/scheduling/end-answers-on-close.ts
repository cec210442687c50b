import type { FastifyInstance } from "fastify";

/** What gives answers. */
interface Answers {
  /** Takes no new requests from now on. */
  refuse(): void;
  /** Ends all of them. */
  abortAll(): void;
}

/** Milliseconds for the last words of ended answers to reach their clients. */
const farewell = 1000;

/**
 * When the server closes, new answers are refused at once, and running ones get some time to
 * finish. Until then it still listens, so that `/ready` says so to whoever sends it requests.
 *
 * @param grace milliseconds
 */
export function endAnswersOnClose(app: FastifyInstance, answers: Answers, grace: number): void {
  let open = 0;
  let onIdle = (): void => {};
  let timer: NodeJS.Timeout | undefined;
  app.addHook("onRequest", (_, reply, done) => {
    open += 1;
    // However it ends: a client that goes away has no response.
    reply.raw.once("close", () => {
      open -= 1;
      if (open === 0) onIdle();
    });
    done();
  });
  app.addHook("preClose", async () => {
    answers.refuse();
    if (open > 0) {
      await new Promise<void>((resolve) => {
        onIdle = resolve;
        timer = setTimeout(resolve, grace);
      });
      clearTimeout(timer);
    }
    answers.abortAll();
    // A client that does not read would keep its connection open.
    timer = setTimeout(() => app.server.closeAllConnections(), farewell);
  });
  app.addHook("onClose", (_, done) => {
    clearTimeout(timer);
    done();
  });
}
