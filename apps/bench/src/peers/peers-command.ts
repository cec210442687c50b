import { Option, type Command } from "commander";
import { measureLimits } from "../limits/measure-limits.ts";
import { describeMachine } from "../machine.ts";
import { availableEngines, defaultEngines, engineNames, peerEngines } from "./engines.ts";
import type { PeerEngine, PeerPlan, PeerResult } from "./peer-engine.ts";
import { writeGroups, type PeerGroup } from "./peer-group.ts";
import { peerSizes, type PeerSize } from "./peer-sizes.ts";
import { limitLines, peerTable } from "./peer-table.ts";

interface PeersFlags {
  engines: string[];
  sizes: PeerSize[];
  lengths: string[];
  threads: string;
  repeats: string;
  python: string;
  output?: string;
}

/** `npm run bench -- peers`: Levin beside other engines, in one run. */
export function addPeers(program: Command): void {
  program
    .command("peers")
    .description(
      "the same model on Levin, stock tfjs and PyTorch, and a dense one of the same active size in llama.cpp and onnxruntime",
    )
    .addOption(
      new Option("--engines <names...>", "what to measure")
        .choices(engineNames)
        .default(defaultEngines),
    )
    .addOption(
      new Option("--sizes <names...>", "models, by their parameters")
        .choices(peerSizes)
        .default(peerSizes),
    )
    .option("--lengths <n...>", "tokens of the prompt", ["512", "2048"])
    .option("--threads <n>", "threads of each engine", "2")
    .option("--repeats <n>", "repetitions after one warm-up", "3")
    .option("--python <path>", "an interpreter with torch and transformers", "python3")
    .option("--output <directory>", "write peers.json and peers.svg there, or update them")
    .action(async (flags: PeersFlags) => {
      const say = (line: string): unknown => process.stderr.write(`${line}\n`);
      const engines = await availableEngines(peerEngines(flags.python), flags.engines, say);
      const groups: PeerGroup[] = [];
      for (const size of flags.sizes) {
        for (const length of flags.lengths.map(Number)) {
          const [threads, repeats] = [Number(flags.threads), Number(flags.repeats)];
          groups.push(await measureGroup(engines, { size, length, threads, repeats }, say));
          if (flags.output) await writeGroups(flags.output, groups);
        }
      }
      console.log(
        `${describeMachine()}, ${flags.threads} threads, best of ${flags.repeats} (spread to the worst in brackets)\n`,
      );
      console.log(`${peerTable(groups)}\n`);
      for (const line of limitLines(groups)) console.log(`- ${line}`);
    });
}

/** All engines one after another, so that a drift of the machine meets them nearly alike. */
async function measureGroup(
  engines: readonly PeerEngine[],
  plan: PeerPlan,
  say: (line: string) => void,
): Promise<PeerGroup> {
  const { size, length, threads, repeats } = plan;
  const limits = await measureLimits(threads, repeats);
  const results: PeerResult[] = [];
  for (const engine of engines) {
    const { name, weights, longest } = engine;
    const what = `${size} at ${length}: ${name}, ${weights}`;
    if (length > longest) {
      say(`left out: ${what} (measured to ${longest} tokens only)`);
      continue;
    }
    say(what);
    const started = Date.now();
    try {
      results.push({ engine: name, weights, ...(await engine.measure(plan)) });
      say(`  ${((Date.now() - started) / 1000).toFixed(0)} s`);
    } catch (error) {
      say(`left out: ${what} (${reason(error)})`);
    }
  }
  const [date, machine] = [new Date().toISOString(), describeMachine()];
  return { size, length, date, machine, threads, repeats, limits, results };
}

/** What a worker said last before it failed, else the error itself. */
function reason(error: unknown): string {
  const { stderr, message } = error as Error & { stderr?: string };
  const lines = (stderr || message).split("\n");
  return lines.find((line) => /error/i.test(line))?.trim() ?? lines[0]!;
}
