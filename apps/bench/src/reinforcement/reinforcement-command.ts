import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { describeMachine } from "../machine.ts";
import { spawnWorker } from "../run-worker.ts";
import { reinforcementPlot } from "./reinforcement-plot.ts";
import { readRun, type ReinforcementRecord } from "./reinforcement-record.ts";

interface ReinforcementFlags {
  recipe: string;
  from: string;
  seeds: number[];
  runs: string;
  output?: string;
}

/** Clippings that are compared; all else of a run is the same. */
const clippings = [
  { algorithm: "cispo", high: 2 },
  { algorithm: "grpo", low: 0.2, high: 0.2 },
] as const;

/** `npm run bench -- reinforcement`: CISPO against GRPO's clipping on the same seeds. */
export function addReinforcement(program: Command): void {
  program
    .command("reinforcement")
    .description("held-out accuracy by iteration of CISPO and of GRPO, from the same seeds")
    .requiredOption("--recipe <path>", "a recipe of `levin reinforce` that evaluates")
    .requiredOption("--from <directory>", "the model to start from")
    .option("--seeds <n,…>", "a run of each algorithm for each", toSeeds, [1, 2, 3])
    .requiredOption("--runs <directory>", "for the runs; finished ones are not done again")
    .option("--output <directory>", "write reinforcement.json and reinforcement.svg there")
    .action(async ({ recipe: path, from, seeds, runs, output }: ReinforcementFlags) => {
      const recipe = JSON.parse(await readFile(path, "utf8")) as object;
      await mkdir(runs, { recursive: true });
      const record: ReinforcementRecord = {
        date: new Date().toISOString(),
        machine: describeMachine(),
        model: basename(from),
        recipe,
        runs: [],
      };
      for (const seed of seeds) {
        for (const clipping of clippings) {
          const { algorithm } = clipping;
          const directory = join(runs, `${algorithm}-${seed}`);
          await writeFile(`${directory}.json`, JSON.stringify({ ...recipe, seed, clipping }));
          const args = ["reinforce", `${directory}.json`, "--from", from, "--output", directory];
          process.stderr.write(`${algorithm}, seed ${seed}\n`);
          await spawnWorker("reinforcement/levin-worker.ts", args);
          const metrics = await readFile(join(directory, "metrics.jsonl"), "utf8");
          record.runs.push(readRun(metrics, { algorithm, seed }));
        }
      }
      console.log(table(record));
      if (output === undefined) return;
      const text = `${JSON.stringify(record, null, 2)}\n`;
      await writeFile(join(output, "reinforcement.json"), text);
      await writeFile(join(output, "reinforcement.svg"), await reinforcementPlot(record));
    });
}

function table({ runs }: ReinforcementRecord): string {
  const steps = runs[0]!.evaluations.map(({ step }) => step);
  const percent = (value: number | undefined): string =>
    value === undefined ? "" : `${(100 * value).toFixed(0)} %`;
  const rows = runs.map(({ algorithm, seed, evaluations }) => {
    const cells = steps.map((at) => percent(evaluations.find(({ step }) => step === at)?.accuracy));
    return `| ${algorithm}, seed ${seed} | ${cells.join(" | ")} |`;
  });
  return [
    `| accuracy after iteration | ${steps.join(" | ")} |`,
    `| --- | ${steps.map(() => "---:").join(" | ")} |`,
    ...rows,
  ].join("\n");
}

function toSeeds(text: string): number[] {
  const seeds = text.split(",").map(Number);
  if (seeds.every(Number.isInteger)) return seeds;
  throw new InvalidArgumentError(`expected whole numbers parted by commas, found "${text}"`);
}
