import { tmpdir } from "node:os";
import type { LightMyRequestResponse } from "fastify";
import { mark } from "./odd-requests.ts";

/** What stands in no reply and no log: where files lie. */
export const places = [process.cwd(), tmpdir(), "node_modules"];

/** `expect` takes longer than a request. */
export function check(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(`expected ${what}`);
}

/** Whether a server answered an odd request as it should: no failure, and nothing told. */
export function checkReply({ statusCode, body, headers }: LightMyRequestResponse): void {
  // What this server has no Redis and no hidden states for is refused with 501.
  const isFailure = statusCode >= 500 || body.includes('"type":"server_error"');
  check(!isFailure || statusCode === 501, `no failure, found ${statusCode} ${body}`);
  for (const place of [...places, "\\n    at "])
    check(!body.includes(place), `no ${place}: ${body}`);
  if (statusCode < 400) return;
  check(!body.includes(mark), `nothing of the prompt: ${body}`);
  if (body === "") return;
  check(`${headers["content-type"]}`.startsWith("application/json"), `JSON, found ${body}`);
  const { error } = JSON.parse(body) as { error: object };
  check(Object.keys(error).join() === "message,type,param,code", `OpenAI's form: ${body}`);
}
