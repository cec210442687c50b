import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";

type Headers = Record<string, string | string[]>;

/** What an upstream answered: a stream of events as it comes, anything else as a whole. */
export interface UpstreamReply {
  status: number;
  headers: Headers;
  body: Readable | Buffer;
}

/** Those of one connection (RFC 9110, 7.6.1), and those that this server sets itself. */
const ownHeaders = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "date",
  "server",
  "set-cookie",
]);

/** Headers of a request that an upstream may see: none that could hold a client's key. */
const passedRequestHeaders = ["accept", "x-request-id", "traceparent", "tracestate"];

/** The headers to ask an upstream with; `key` is the upstream's own. */
export function requestHeaders(client: Headers | NodeJS.Dict<string | string[]>, key?: string) {
  const headers: Headers = { "content-type": "application/json" };
  for (const name of passedRequestHeaders) {
    const value = client[name];
    if (value !== undefined) headers[name] = value;
  }
  if (key !== undefined) headers["authorization"] = `Bearer ${key}`;
  return headers;
}

/** The headers of an upstream's reply that are the client's too. */
function replyHeaders(upstream: Dispatcher.ResponseData["headers"]): Headers {
  const named = [upstream["connection"] ?? []]
    .flat()
    .join()
    .toLowerCase()
    .split(/\s*,\s*/);
  const headers: Headers = {};
  for (const [name, value] of Object.entries(upstream)) {
    const isOwn = ownHeaders.has(name) || name.startsWith("access-control-");
    if (value !== undefined && !isOwn && !named.includes(name)) headers[name] = value;
  }
  return headers;
}

/** Waits for the whole body unless it is an answer in a stream of events. */
export async function readReply(response: Dispatcher.ResponseData): Promise<UpstreamReply> {
  const { statusCode: status, headers, body } = response;
  const isEvents = String(headers["content-type"]).startsWith("text/event-stream");
  // A refusal is read as a whole, however it is sent.
  const isStream = isEvents && status === 200;
  return {
    status,
    headers: replyHeaders(headers),
    body: isStream ? body : Buffer.from(await body.arrayBuffer()),
  };
}
