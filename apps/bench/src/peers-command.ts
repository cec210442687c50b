import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { describeMachine } from "./machine.ts";
import { peerSizes, type PeerSize } from "./peer-sizes.ts";
import { peerTable } from "./peer-table.ts";
import { hasTorch, levinEngine, torchEngine, type PeerResult } from "./peers.ts";

interface PeersFlags {
  sizes: PeerSize[];
  lengths: string[];
  threads: string;
  repeats: string;
  python: string;
  output?: string;
}

/** `npm run bench -- peers`: the same model in Levin, on stock tfjs and in PyTorch, in one run. */
export function addPeers(program: Command): void {
  program
    .command("peers")
    .description("the same model on Levin's kernels, on stock tfjs and in PyTorch if installed")
    .option("--sizes <names...>", peerSizes.join(" or "), peerSizes)
    .option("--lengths <n...>", "tokens of the prompt", ["512", "2048", "8192"])
    .option("--threads <n>", "threads of each engine", "2")
    .option("--repeats <n>", "repetitions after one warm-up", "3")
    .option("--python <path>", "an interpreter with torch and transformers", "python3")
    .option("--output <file>", "write the results as JSON")
    .action(async (flags: PeersFlags) => {
      const engines = [levinEngine("Levin", "wasm"), levinEngine("stock tfjs-wasm", "stock-wasm")];
      if (await hasTorch(flags.python)) {
        engines.push(
          torchEngine("transformers", "library-grouped_mm", flags.python),
          torchEngine("PyTorch, hand-written", "lean", flags.python),
        );
      } else {
        console.error(`left out: PyTorch (${flags.python} has no torch and transformers)`);
      }
      const results: PeerResult[] = [];
      for (const size of flags.sizes) {
        for (const length of flags.lengths.map(Number)) {
          for (const engine of engines) {
            process.stderr.write(`${size} at ${length}: ${engine.name}\n`);
            const [threads, repeats] = [Number(flags.threads), Number(flags.repeats)];
            results.push(await engine.measure({ size, length, threads, repeats }));
          }
        }
      }
      const machine = describeMachine();
      console.log(
        `${machine}, ${flags.threads} threads, float32, best of ${flags.repeats} (spread to the worst in brackets)\n`,
      );
      console.log(peerTable(results));
      if (!flags.output) return;
      const record = { date: new Date().toISOString(), machine, threads: flags.threads, results };
      await writeFile(flags.output, `${JSON.stringify(record, null, 2)}\n`);
    });
}
