import { writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import { Command } from "commander";
import { measure, type Measurement } from "./measure.ts";
import { twins } from "./models.ts";
import { crossings, markdownTable, plot } from "./report.ts";

/** `npm run bench`: hybrid lightning attention against the same model all-softmax, in one run. */
const program = new Command("bench")
  .option("--backend <name>", "wasm, cpu or tensorflow", "wasm")
  .option("--context <n...>", "context lengths", ["1024", "4096", "16384", "65536"])
  .option("--runs <n>", "runs of each figure, after one warm-up", "5")
  .option("--output <directory>", "write benchmarks.json and benchmarks.svg there")
  .parse();
const { backend, context, runs, output } = program.opts<{
  backend: string;
  context: string[];
  runs: string;
  output?: string;
}>();

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
const machine = `${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} cores`;
console.log(`backend ${backend}, ${machine}, best of ${runs} (spread to the worst in brackets)\n`);
console.log(markdownTable(measurements));
console.log(`\nFrom where on the hybrid is ahead:\n`);
for (const line of crossings(measurements)) console.log(`- ${line}`);
if (output) {
  const record = { date: new Date().toISOString(), backend, machine, runs, measurements };
  await writeFile(join(output, "benchmarks.json"), `${JSON.stringify(record, null, 2)}\n`);
  await writeFile(join(output, "benchmarks.svg"), await plot(measurements));
}
