import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import type { Command } from "commander";
import { describeMachine } from "./machine.ts";
import { measure, type Measurement } from "./measure.ts";
import { twins } from "./models.ts";
import { crossings, markdownTable, plot } from "./report.ts";

interface TwinsFlags {
  backend: string;
  context: string[];
  runs: string;
  output?: string;
}

/** `npm run bench`: hybrid lightning attention against the same model all-softmax, in one run. */
export function addTwins(program: Command): void {
  program
    .command("twins", { isDefault: true })
    .description("the 7:1 hybrid against the same model with softmax attention everywhere")
    .option("--backend <name>", "wasm, webgpu, cpu or tensorflow", "wasm")
    .option("--context <n...>", "context lengths", ["1024", "4096", "16384", "65536"])
    .option("--runs <n>", "runs of each figure, after one warm-up", "5")
    .option("--output <directory>", "write benchmarks.json and benchmarks.svg there")
    .action(async ({ backend, context, runs, output }: TwinsFlags) => {
      await selectBackend(backend);
      const models = twins();
      const measurements: Measurement[] = [];
      for (const length of context.map(Number)) {
        // Twins take turns at each length, so that a drift of the machine meets both.
        for (const name of ["hybrid", "softmax"] as const) {
          measurements.push(await measure(name, models[name], length, Number(runs)));
          process.stderr.write(`${name} at ${length} done\n`);
        }
      }
      const machine = describeMachine();
      console.log(
        `backend ${backend}, ${machine}, best of ${runs} (spread to the worst in brackets)\n`,
      );
      console.log(markdownTable(measurements));
      console.log(`\nFrom where on the hybrid is ahead:\n`);
      for (const line of crossings(measurements)) console.log(`- ${line}`);
      if (!output) return;
      const record = { date: new Date().toISOString(), backend, machine, runs, measurements };
      await writeFile(join(output, "benchmarks.json"), `${JSON.stringify(record, null, 2)}\n`);
      await writeFile(join(output, "benchmarks.svg"), await plot(measurements));
    });
}
