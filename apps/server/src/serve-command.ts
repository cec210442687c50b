import { parseArgs } from "node:util";
import { answerFlags, answerOptions, answerUsage } from "./answer-flags.ts";
import { flagAmount, flagNumber, given } from "./flag-amount.ts";
import { FlagError } from "./flag-error.ts";
import { sessionFlags, sessionOptions } from "./sessions/session-flags.ts";
import { defaultPort, startServer, type StartOptions } from "./start-server.ts";

const usage = `levin-server, or levin serve: an OpenAI-compatible server with a chat page

${answerUsage}

  --port PORT        default PORT or ${defaultPort}; 0 takes any free one
  --host HOST        default 127.0.0.1: this machine alone
  --redis URL        Redis for files and batches, shared with workers
  --files-per-key N        files of one API key, those its batches write too (default: 10000)
  --file-bytes-per-key N   bytes of them, and of requests in its batches (default: 1 GiB)
  --in-process       run the model in the thread that serves, not in one of its own
  --queue N          requests that may wait for a place (default: 128)
  --queue-tokens N   prompt tokens that may wait (default: 1048576)
  --prefix-cache N   MiB for the states of earlier prompts (default: 256)
  --request-timeout SECONDS
                     then an answer ends with what is there (default: no limit)
  --shutdown-grace SECONDS
                     for running answers when the server closes (default: 5)
  --data DIR         directory for sessions and responses (default: they are kept in memory)
  --database URL     postgres://… for those of several servers (default: LEVIN_DATABASE)
  --sessions N             sessions that there may be (default: 100000)
  --sessions-per-key N     sessions of one API key (default: 10000)
  --session-bytes N        bytes of all their messages, token ids and tools (default: 1 GiB)
  --session-bytes-per-key N
                           the same of one API key (default: 256 MiB)
  --session-states N       states kept of one session (default: 8)
  --session-state-bytes N  bytes of all states (default: 1 GiB); the oldest go first, of the keys
                           that hold most
  --session-state-days N   days that a state is kept (default: 30)
  --response-bytes N       bytes of the responses of one key that are kept (default: 32 MiB)
  --response-days N        days that a response is kept (default: 30)
  --keys DIR         folder of API keys (default: LEVIN_KEYS or ~/.levin/keys); once there is a
                     key, there or in LEVIN_API_KEY, requests need one
  --insecure         listens on a HOST that other machines reach without a key too
  --allow-host NAME  name by which clients reach the server, beside localhost and addresses;
                     repeatable; with keys any will do
  --cors ORIGIN      origin of web pages that may ask, such as https://chat.example; repeatable
  --body-limit N     bytes of the largest request (default: 8 MiB)
  --max-prompt-tokens N  longer prompts are refused (default: as long as the context)

levin-server keys add|list|revoke|usage: API keys; keys --help says more
levin-server worker --redis URL: answers the requests of batches; worker --help says more
(levin keys and levin worker are the same)`;

/**
 * `levin-server` and `levin serve`: serves until it gets a signal.
 * @throws FlagError for a wrong flag; what `startServer` throws
 */
export async function runServeCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      ...answerFlags,
      redis: { type: "string" },
      "files-per-key": { type: "string" },
      "file-bytes-per-key": { type: "string" },
      "in-process": { type: "boolean" },
      queue: { type: "string" },
      "queue-tokens": { type: "string" },
      "prefix-cache": { type: "string" },
      "request-timeout": { type: "string" },
      "shutdown-grace": { type: "string" },
      ...sessionFlags,
      host: { type: "string" },
      keys: { type: "string" },
      insecure: { type: "boolean" },
      "allow-host": { type: "string", multiple: true },
      cors: { type: "string", multiple: true },
      "body-limit": { type: "string" },
      "max-prompt-tokens": { type: "string" },
      port: { type: "string", default: process.env["PORT"] ?? `${defaultPort}` },
    },
  });
  if (values.help) console.log(usage);
  else await startServer(startOptions(values));
}

type Values = Record<string, string | boolean | string[] | undefined>;

function startOptions(values: Values): StartOptions {
  const text = (flag: string): string | undefined => values[flag] as string | undefined;
  const list = (flag: string): string[] | undefined => values[flag] as string[] | undefined;
  const amount = (flag: string): number | undefined => flagAmount(flag, text(flag));
  const scaled = (flag: string, unit: number) => flagNumber(flag, text(flag), unit);
  const port = text("port") ?? "";
  if (!/^\d+$/.test(port) || Number(port) > 65_535) {
    throw new FlagError(`--port: expected a number in 0..65535, found "${port}"`);
  }
  return {
    ...answerOptions(values),
    worker: values["in-process"] !== true,
    queueCapacity: scaled("queue", 1),
    queueTokens: scaled("queue-tokens", 1),
    prefixCacheBytes: scaled("prefix-cache", 2 ** 20),
    requestTimeout: scaled("request-timeout", 1000),
    shutdownGrace: scaled("shutdown-grace", 1000),
    redis: text("redis"),
    fileLimits: given({
      perKey: amount("files-per-key"),
      bytesPerKey: amount("file-bytes-per-key"),
    }),
    ...sessionOptions(values),
    host: text("host"),
    keys: text("keys"),
    insecure: values["insecure"] === true,
    allowHost: list("allow-host"),
    cors: list("cors"),
    bodyLimit: amount("body-limit"),
    maxPromptTokens: amount("max-prompt-tokens"),
    port: Number(port),
  };
}
