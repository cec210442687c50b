import OpenAI from "openai";
import { createServer, Upstreams, type ServerSettings, type UpstreamsOptions } from "../index.ts";

/** A server before other engines, and the official client for it. */
export interface UpstreamServer {
  url: string;
  openai: OpenAI;
  upstreams: Upstreams;
  close(): Promise<void>;
}

/** Listens on a port of its own, before engines at some addresses. */
export async function startUpstreamServer(
  urls: readonly string[],
  { checkInterval = 100, ...options }: Omit<UpstreamsOptions, "urls"> & ServerSettings = {},
): Promise<UpstreamServer> {
  const upstreams = await Upstreams.start({ ...options, urls, checkInterval });
  const app = createServer({ ...options, upstreams });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    url,
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: "clients-own-key", maxRetries: 0 }),
    upstreams,
    close: () => app.close().then(() => {}),
  };
}
