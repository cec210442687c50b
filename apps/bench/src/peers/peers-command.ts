import { Option, type Command } from "commander";
import { describeMachine } from "../machine.ts";
import { availableEngines, defaultEngines, engineNames, peerEngines } from "./engines.ts";
import { measureGroup } from "./measure-group.ts";
import { writeGroups, type PeerGroup } from "./peer-group.ts";
import { peerSizes, type PeerSize } from "./peer-sizes.ts";
import { limitLines, peerTable } from "./peer-table.ts";

interface PeersFlags {
  engines: string[];
  sizes: PeerSize[];
  lengths: string[];
  threads: string;
  rounds: string;
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
    .option("--rounds <n>", "turns that each engine takes", "2")
    .option("--repeats <n>", "repetitions in each turn, after one warm-up", "2")
    .option("--python <path>", "an interpreter with torch and transformers", "python3")
    .option("--output <directory>", "write peers.json and peers.svg there, or update them")
    .action(async (flags: PeersFlags) => {
      const say = (line: string): unknown => process.stderr.write(`${line}\n`);
      const engines = await availableEngines(peerEngines(flags.python), flags.engines, say);
      const groups: PeerGroup[] = [];
      for (const size of flags.sizes) {
        for (const length of flags.lengths.map(Number)) {
          const [threads, repeats] = [Number(flags.threads), Number(flags.repeats)];
          const plan = { size, length, threads, repeats };
          groups.push(await measureGroup(engines, plan, Number(flags.rounds), say));
          if (flags.output) await writeGroups(flags.output, groups);
        }
      }
      console.log(
        `${describeMachine()}, ${flags.threads} threads, best of ${Number(flags.rounds) * Number(flags.repeats)} (spread to the worst in brackets)\n`,
      );
      console.log(`${peerTable(groups)}\n`);
      for (const line of limitLines(groups)) console.log(`- ${line}`);
    });
}
