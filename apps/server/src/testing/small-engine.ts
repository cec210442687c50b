import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A request that an engine got. */
export interface Received {
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
  /** `Date.now()` when it came. */
  at: number;
}

/** An HTTP server that answers as a test says, where a real engine can't be made to. */
export interface SmallEngine {
  url: string;
  /** All POSTs so far. */
  received: Received[];
  close(): void;
}

/** Has the model `small`, and answers POSTs by `answer`, which is told how many came before. */
export async function startSmallEngine(
  answer: (response: ServerResponse, before: number) => unknown,
  models: readonly string[] = ["small"],
): Promise<SmallEngine> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      if (request.method === "GET") {
        const data = models.map((id) => ({ id, object: "model" }));
        response.statusCode = request.url === "/v1/models" ? 200 : 404;
        response.end(JSON.stringify({ object: "list", data }));
        return;
      }
      const { url: path = "", headers } = request;
      const at = Date.now();
      received.push({ path, headers, body: await text(request), at });
      await answer(response, received.length - 1);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
