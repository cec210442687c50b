import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Option, type Command } from "commander";
import { describeMachine } from "../machine.ts";
import { toNumber, toNumbers } from "../number-flags.ts";
import { LoadClient } from "./load-client.ts";
import { questions } from "./questions.ts";
import {
  levinModel,
  llamaModel,
  servedNames,
  type ServedName,
  type ServedWeights,
} from "./served-models.ts";
import { startProcess, startServer, type ServerProcess } from "./server-process.ts";
import { serversTable, type ServerResults } from "./servers-table.ts";
import { measureStreams } from "./streams.ts";

interface ServersFlags {
  model: ServedName;
  weights: ServedWeights[];
  llamaServer: string;
  llamaThreads: number[];
  clients: number[];
  seconds: number;
  repeats: number;
  maxTokens: number;
  output?: string;
}

interface ServersPlan extends ServersFlags {
  /** Further flags of llama.cpp's server. */
  passed: string[];
}

/** Tokens of a prompt and its answer, in each slot of llama.cpp. */
const slotTokens = 2048;

const say = (line: string): unknown => process.stderr.write(`${line}\n`);

/** `npm run bench -- servers`: Levin's server and llama.cpp's with the same model, in turns. */
export function addServers(program: Command): void {
  program
    .command("servers")
    .argument("[flags...]", "further flags of llama-server, after --")
    .description("the same model behind Levin's server and llama.cpp's, with 1, 8, 32 clients")
    .addOption(
      new Option("--model <name>", "spark, or a hybrid with random weights by its parameters")
        .choices(servedNames)
        .default("spark"),
    )
    .addOption(
      new Option("--weights <names...>", "of both; int8 is q8_0 in llama.cpp")
        .choices(["float32", "int8"])
        .default(["float32"]),
    )
    .addOption(
      new Option("--llama-server <program>", "llama.cpp's, b10437 or newer")
        .env("LLAMA_SERVER")
        .default("llama-server"),
    )
    .option("--llama-threads <n,…>", "threads of llama.cpp, each measured", toNumbers, [
      ...new Set([1, availableParallelism()]),
    ])
    .option("--clients <n,…>", "numbers of clients", toNumbers, [1, 8, 32])
    .option("--seconds <n>", "length of each measurement", toNumber, 10)
    .option("--repeats <n>", "repetitions after one warm-up", toNumber, 3)
    .option("--max-tokens <n>", "tokens of each answer at most", toNumber, 128)
    .option("--output <directory>", "write servers-MODEL.json there")
    .action(async (passed: string[], flags: ServersFlags) => {
      const plan: ServersPlan = { ...flags, passed };
      const folder = await mkdtemp(join(tmpdir(), "levin-servers-"));
      const running: RunningServer[] = [];
      try {
        await startAll(plan, folder, running);
        await measureAll(running, plan);
      } finally {
        await Promise.all(running.map(({ server }) => server.stop()));
        await rm(folder, { recursive: true });
      }
      await report(plan, running);
    });
}

interface RunningServer extends ServerResults {
  server: ServerProcess;
  client: LoadClient;
  /** The same for all servers, so that they are asked the same. */
  question: () => string;
}

/** All stay up for the whole run: idle ones take no processor time. */
async function startAll(
  flags: ServersPlan,
  folder: string,
  running: RunningServer[],
): Promise<void> {
  const { model, llamaServer, llamaThreads, passed } = flags;
  const places = Math.max(...flags.clients);
  const add = async (name: string, weights: ServedWeights, server: ServerProcess) => {
    const settings = flags.clients.map((clients) => ({ clients, results: [] }));
    try {
      const client = await LoadClient.connect(server.url);
      running.push({ name, weights, server, client, settings, question: questions(1) });
    } catch (error) {
      await server.stop();
      throw error;
    }
  };
  for (const weights of flags.weights) {
    const directory = await levinModel(model, weights, folder);
    const batch = ["--max-batch", String(places)];
    await add("Levin", weights, await startServer(["--model", directory, ...batch]));
    const file = await llamaModel(model, weights, folder);
    for (const threads of llamaThreads) {
      const name = `llama.cpp, ${threads} thread${threads === 1 ? "" : "s"}`;
      try {
        const server = await startLlamaServer(llamaServer, file, { places, threads, passed });
        await add(name, weights, server);
      } catch (error) {
        say(`left out: ${name} (${(error as Error).message}; --llama-server names one)`);
      }
    }
  }
}

function startLlamaServer(
  program: string,
  file: string,
  { places, threads, passed }: { places: number; threads: number; passed: readonly string[] },
): Promise<ServerProcess> {
  const flags = [
    ...["--model", file, "--host", "127.0.0.1", "--port", "0", "--jinja"],
    ...["--parallel", String(places), "--ctx-size", String(places * slotTokens)],
    ...["--threads", String(threads), ...passed],
  ];
  return startProcess(program, flags, /listening on (http:\S+)/);
}

/** All servers take turns, so that a drift of the machine meets each; one that ends is left out. */
async function measureAll(
  running: RunningServer[],
  { clients, seconds, repeats, maxTokens }: ServersFlags,
): Promise<void> {
  for (let repeat = 0; repeat <= repeats; repeat++) {
    for (const [setting, count] of clients.entries()) {
      for (const one of [...running]) {
        const { client, question, server, settings } = one;
        const name = `${one.name}, ${one.weights}`;
        const plan = { clients: count, seconds, maxTokens, question };
        const result = await measureStreams(client, plan);
        const words = server.lastWords();
        if (words !== undefined) {
          say(`left out: ${name} (it ended with ${count} clients: ${words})`);
          running.splice(running.indexOf(one), 1);
          continue;
        }
        say(`${count} clients: ${name}, ${result.tokensPerSecond.toFixed(0)} tokens/s`);
        for (const why of result.lost.slice(0, 3)) say(`lost: ${why}`);
        const resident = await server.resident();
        if (repeat > 0) settings[setting]!.results.push({ ...result, resident });
      }
    }
  }
}

async function report(flags: ServersPlan, running: readonly RunningServer[]): Promise<void> {
  const { model, seconds, repeats, maxTokens, passed, output } = flags;
  console.log(
    `${model}, ${describeMachine()}, ${seconds} s each, best of ${repeats} (the worst in brackets)\n`,
  );
  const servers = running.map(({ name, weights, settings }) => ({ name, weights, settings }));
  console.log(serversTable(servers));
  if (output === undefined) return;
  await mkdir(output, { recursive: true });
  const [date, machine] = [new Date().toISOString(), describeMachine()];
  const whole = { date, machine, model, seconds, maxTokens, flags: passed, servers };
  await writeFile(join(output, `servers-${model}.json`), `${JSON.stringify(whole, null, 2)}\n`);
}
