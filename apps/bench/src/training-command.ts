import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Command } from "commander";
import { describeMachine } from "./machine.ts";
import { hasTorch } from "./peers/torch-engine.ts";
import { lastLine, runWorker } from "./run-worker.ts";
import { best, withSpread } from "./with-spread.ts";

const run = promisify(execFile);

interface TrainingFlags {
  batch: string;
  length: string;
  steps: string;
  threads: string;
  python: string;
}

interface Result {
  /** Tokens per second of each step. */
  rates: number[];
  peakMiB: number;
}

/** `npm run bench -- training`: training steps on our kernels, on stock tfjs and in PyTorch, in one run. */
export function addTraining(program: Command): void {
  program
    .command("training")
    .description("training steps of spark's architecture on Levin, on stock tfjs and in PyTorch")
    .option("--batch <n>", "sequences of a step", "16")
    .option("--length <n>", "tokens of a sequence", "256")
    .option("--steps <n>", "steps after one warm-up", "5")
    .option("--threads <n>", "threads of each engine", "2")
    .option("--python <path>", "an interpreter with torch and transformers", "python3")
    .action(async (flags: TrainingFlags) => {
      const sizes = ["--batch", flags.batch, "--length", flags.length, "--steps", flags.steps];
      const levin = (backend: string) => () =>
        runWorker("training-worker.ts", ["--backend", backend, ...sizes], flags.threads);
      const torch = join(import.meta.dirname, "../../../tooling/bench/bench_torch_training.py");
      const engines = [
        { name: "Levin", measure: levin("wasm") },
        { name: "stock tfjs-wasm", measure: levin("stock-wasm") },
        ...((await hasTorch(flags.python))
          ? [
              {
                name: "transformers",
                measure: async () =>
                  lastLine(
                    (await run(flags.python, [torch, ...sizes, "--threads", flags.threads])).stdout,
                  ),
              },
            ]
          : []),
      ];
      const results: (Result & { name: string })[] = [];
      for (const { name, measure } of engines) {
        process.stderr.write(`${name}\n`);
        results.push({ name, ...((await measure()) as Result) });
      }
      console.log(
        `${describeMachine()}, ${flags.threads} threads, float32, ${flags.batch} × ${flags.length} tokens a step, best of ${flags.steps} (spread to the worst in brackets)\n`,
      );
      console.log(table(results));
    });
}

function table(results: readonly (Result & { name: string })[]): string {
  const ours = best(results[0]!.rates);
  const rows = results.map(
    ({ name, rates, peakMiB }) =>
      `| ${name} | ${withSpread(rates)} | ${(ours / best(rates)).toFixed(2)} × | ${peakMiB.toFixed(0)} MiB |`,
  );
  return [
    "| engine | tokens/s | levin is | peak memory |",
    "| --- | ---: | ---: | ---: |",
    ...rows,
  ].join("\n");
}
