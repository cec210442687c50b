import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { describeMachine } from "../machine.ts";
import { toNumber, toNumbers } from "../number-flags.ts";
import { LoadClient } from "./load-client.ts";
import { questions } from "./questions.ts";
import { startServer } from "./server-process.ts";
import { soak } from "./soak.ts";
import { soakLine, soakTable } from "./soak-table.ts";
import { measureStreams } from "./streams.ts";
import { streamsTable, type StreamsSetting } from "./streams-table.ts";

interface TargetFlags {
  url?: string;
  output?: string;
}

interface ServerFlags extends TargetFlags {
  clients: number[];
  seconds: number;
  repeats: number;
  maxTokens: number;
}

interface SoakFlags extends TargetFlags {
  clients: number;
  minutes: number;
}

const say = (line: string): unknown => process.stderr.write(`${line}\n`);
const serverFlags = "flags of levin-server, after --";

/** `npm run bench -- server`: speed and latencies over HTTP, by the number of streaming clients. */
export function addServer(program: Command): void {
  withTarget(program.command("server"), "server.json")
    .description("tokens per second, times to and between tokens, with 1, 8, 32 streaming clients")
    .option("--clients <n,…>", "numbers of clients", toNumbers, [1, 8, 32])
    .option("--seconds <n>", "length of each measurement", toNumber, 10)
    .option("--repeats <n>", "repetitions after one warm-up", toNumber, 5)
    .option("--max-tokens <n>", "tokens of each answer at most", toNumber, 128)
    .action(async (passed: string[], flags: ServerFlags) => {
      const { clients, repeats } = flags;
      const batch = ["--max-batch", `${Math.max(...clients)}`];
      const settings = await withServer(flags, [...batch, ...passed], (client) =>
        measureSettings(client, flags),
      );
      console.log(
        `${describeMachine()}, ${flags.seconds} s each, best of ${repeats} (the worst in brackets)\n`,
      );
      console.log(streamsTable(settings));
      const lost = settings.flatMap(({ results }) => results.flatMap((result) => result.lost));
      const { seconds, maxTokens } = flags;
      await finish(flags, "server.json", { seconds, maxTokens, flags: passed, settings }, lost);
    });
}

/** All settings take turns, so that a drift of the machine meets each. */
async function measureSettings(
  client: LoadClient,
  { clients, seconds, repeats, maxTokens }: ServerFlags,
): Promise<StreamsSetting[]> {
  const settings = clients.map((count): StreamsSetting => ({ clients: count, results: [] }));
  const question = questions(1);
  for (let repeat = 0; repeat <= repeats; repeat++) {
    for (const { clients: count, results } of settings) {
      const plan = { clients: count, seconds, maxTokens, question };
      const result = await measureStreams(client, plan);
      say(
        `${count} clients: ${result.tokensPerSecond.toFixed(0)} tokens/s, ${result.whole} answers`,
      );
      if (repeat > 0) results.push(result);
    }
  }
  return settings;
}

/** `npm run bench -- soak`: whether the server's memory stays flat, and nothing is lost, for long. */
export function addSoak(program: Command): void {
  withTarget(program.command("soak"), "soak.json")
    .description(
      "memory of the server by the minute under mixed requests: streams, some of them broken off, sessions, embeddings",
    )
    .option("--clients <n>", "clients at once", toNumber, 4)
    .option("--minutes <n>", "how long", toNumber, 60)
    .action(async (passed: string[], flags: SoakFlags) => {
      const result = await withServer(flags, passed, (client) =>
        soak(client, flags, (sample, whole) => say(soakLine(sample, whole))),
      );
      console.log(`${describeMachine()}, ${flags.clients} clients\n`);
      console.log(soakTable(result));
      const { clients, minutes } = flags;
      await finish(flags, "soak.json", { clients, minutes, flags: passed, ...result }, result.lost);
    });
}

function withTarget(command: Command, file: string): Command {
  return command
    .argument("[flags...]", serverFlags)
    .option(
      "--url <url>",
      "a running server, of any make (default: starts one); LEVIN_API_KEY is its key",
    )
    .option("--output <directory>", `write ${file} there`);
}

async function withServer<Result>(
  { url }: TargetFlags,
  flags: readonly string[],
  work: (client: LoadClient) => Promise<Result>,
): Promise<Result> {
  const server = url === undefined ? await startServer(flags) : undefined;
  try {
    const key = process.env["LEVIN_API_KEY"];
    return await work(await LoadClient.connect(server?.url ?? url!, key));
  } finally {
    await server?.stop();
  }
}

async function finish(
  { output }: TargetFlags,
  file: string,
  record: object,
  lost: readonly string[],
): Promise<void> {
  for (const why of lost.slice(0, 10)) say(`lost: ${why}`);
  if (lost.length > 0) process.exitCode = 1;
  if (output === undefined) return;
  await mkdir(output, { recursive: true });
  const whole = { date: new Date().toISOString(), machine: describeMachine(), ...record };
  await writeFile(join(output, file), `${JSON.stringify(whole, null, 2)}\n`);
}
