import {
  glue,
  superglue,
  type BenchmarkTask,
  type Suite,
  type TaskResult,
} from "@levin/evaluation";
import { Option, type Command } from "commander";
import { runSuite, type SuiteEvents } from "../benchmark/run-suite.ts";
import { methods, type SuiteSettings } from "../benchmark/suite-settings.ts";
import { backendOption } from "./backend-option.ts";
import { toCount, toNumber, toPositive, wholeFrom } from "./generation-flags.ts";
import { progressBar } from "./progress-bar.ts";
import { endOnSignals, sayStopped } from "./running-training.ts";
import { addSpreadFlags } from "./spread-flags.ts";

type SuiteFlags = Omit<SuiteSettings, "output"> & { output?: string; json?: boolean };

/** `levin eval glue` and `levin eval superglue`. */
export function addSuites(evaluate: Command): void {
  for (const suite of [glue, superglue]) addSuite(evaluate, suite);
}

function addSuite(evaluate: Command, suite: Suite): void {
  const command = evaluate
    .command(suite.name)
    .description(`${suite.title}: official files, metrics and averages; goes on where it stopped`);
  addSpreadFlags(command)
    .requiredOption("--data <directory>", "the tasks' files as downloaded, one folder for each")
    .option("--model <directory>", "model directory (default: spark)")
    .addOption(backendOption())
    .option("--output <directory>", `results (default: ${suite.name}-results)`)
    .option("--tasks <names>", "tasks, parted by commas (default: all that are there)")
    .addOption(splitOption())
    .addOption(methodOption())
    .option("--shots <n>", "training examples before each item; not for a head", wholeFrom(0), 0)
    .option("--seed <n>", "chooses the shots, and the order in which a head learns", toNumber, 0)
    .option(
      "--limit <n>",
      "items of a task at most; none that are judged together are parted",
      toCount,
    )
    .option("--max-tokens <n>", "generation: new tokens at most", toCount, 256)
    .option("--thinking-budget <n>", "generation: tokens of thought at most", wholeFrom(0))
    .addOption(
      new Option("--pooling <way>", "head: of the tokens' hidden states")
        .choices(["mean", "last"])
        .default("mean"),
    )
    .option("--epochs <n>", "head: passes over the training set", toPositive, 3)
    .option("--steps <n>", "head: steps instead of epochs", toCount)
    .option("--batch-size <n>", "head: examples of a step", toCount, 16)
    .option("--learning-rate <r>", "head: the highest", toPositive, 3e-4)
    .option("--lora <rank>", "head: train an adapter instead of the whole model", toCount)
    .option("--max-length <n>", "head: tokens of a text at most", toCount, 256)
    .option("--checkpoint-every <n>", "head: steps between checkpoints", toCount, 100)
    .option("--json", "print the report as JSON")
    .action(async (flags: SuiteFlags) => {
      const { json, ...rest } = flags;
      const settings = { ...rest, output: flags.output ?? `${suite.name}-results` };
      const show = showProgress(json === true);
      const signal = endOnSignals();
      const report = await runSuite(suite, settings, { ...show, signal });
      if (json && report) console.log(JSON.stringify(report));
      else if (report) {
        const { measured, all } = report.entries;
        const average =
          report.average === null
            ? `no average: ${measured} of ${all} tasks measured`
            : `average ${percent(report.average)}`;
        console.log(`${average}; ${settings.output}/report.md and report.json`);
      } else if (signal.aborted) sayStopped();
      else console.log(`predictions for the leaderboard: ${settings.output}/submission`);
    });
}

function splitOption(): Option {
  return new Option("--split <name>", "dev, or test for files to submit")
    .choices(["dev", "test"])
    .default("dev");
}

function methodOption(): Option {
  return new Option(
    "--method <name>",
    "likelihood of the answers, what is generated, or a fine-tuned head",
  )
    .choices(methods)
    .default("likelihood");
}

/** A bar for people who watch, and a line for each task. */
function showProgress(json: boolean): Omit<SuiteEvents, "signal"> {
  const move = progressBar();
  return {
    onAnswered: ({ title }, done, all) => move(title, done, all, "answered"),
    onStep: ({ title }, step, steps, loss) =>
      move(title, step, steps, `steps, loss ${loss.toFixed(3)}`),
    onResult: (task, result) => {
      if (!json) console.log(describe(task, result));
    },
    onNotice: (text) => console.error(text),
  };
}

function describe({ title }: BenchmarkTask, { metrics, count, majority }: TaskResult): string {
  const figures = Object.entries(metrics).map(([name, value]) => `${name} ${percent(value)}`);
  const alike = majority && Object.values(majority.metrics).map(percent).join(" / ");
  const baseline = alike === undefined ? "" : `   all answered alike: ${alike}`;
  return `${title.padEnd(8)} ${figures.join(" / ")}   (n = ${count})${baseline}`;
}

function percent(value: number | null): string {
  return value === null ? "–" : (100 * value).toFixed(1);
}
