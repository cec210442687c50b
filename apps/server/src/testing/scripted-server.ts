import type { TokenBatch } from "@levin/model";
import OpenAI from "openai";
import { createServer, type ServerSettings } from "../index.ts";
import type { ServedModel } from "../served-model.ts";
import { HeldEngine } from "./held-engine.ts";
import { scriptedModel, type Script } from "./scripted-model.ts";

/** A server that listens on a port of its own, and the official client for it. */
export interface ScriptedServer {
  url: string;
  openai: OpenAI;
  /** Requests that wait for their turn. */
  readonly waiting: () => Promise<number>;
  /** Times that the model was asked for a next token. */
  readonly steps: () => number;
  /** Has answers stand still where a test wants to do something in their midst. */
  readonly engine: HeldEngine;
  /** POSTs a body, which may be broken JSON. */
  post(path: string, body: unknown): Promise<{ status: number; error: unknown }>;
  close(): Promise<void>;
}

/** The name of the model that answers by a script. */
export const model = "scripted";

/** A conversation of one question. */
export const ask = (content: string) => [{ role: "user" as const, content }];

/** A message with the field that OpenAI's own types lack. */
export type WithReasoning<T> = T & { reasoning_content?: string };

/** What the model says if a test needs nothing else. */
export const thought = "First add 1 and 2.\nThat is 3.";
export const answer = "The sum is 3, ÄÖÜ 🙂. The end.";

/** Would take far longer than a test may. */
export const endless = { script: () => ({ again: "one two " }), context: 200_000 };

const sum: Script = () => `<think>\n${thought}\n</think>\n\n${answer}`;

/** Starts a real HTTP server whose model answers by a script. */
export async function startScriptedServer({
  script = sum,
  context = 1024,
  ...options
}: { script?: Script; context?: number } & Pick<ServedModel, "fingerprint"> &
  ServerSettings = {}): Promise<ScriptedServer> {
  const served = scriptedModel(script, { context });
  const advance = served.model.advance.bind(served.model);
  let steps = 0;
  served.model.advance = (state: never, tokens: TokenBatch) => {
    steps += 1;
    return advance(state, tokens);
  };
  const engine = new HeldEngine(served, options);
  const app = createServer({ ...served, engine, ...options });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    url,
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 }),
    waiting: async () => {
      const health = (await (await fetch(`${url}/health`)).json()) as { waiting: number };
      return health.waiting;
    },
    steps: () => steps,
    engine,
    async post(path, body) {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const headers = { "content-type": "application/json" };
      const response = await fetch(url + path, { method: "POST", headers, body: text });
      const { error } = (await response.json()) as { error?: unknown };
      return { status: response.status, error };
    },
    close: () => app.close().then(() => {}),
  };
}
