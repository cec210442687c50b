import { selectBackend } from "@levin/kernels/node";
import type { Command } from "commander";
import { backendOption } from "./backend-option.ts";
import { toNumber } from "./generation-flags.ts";
import { endOnSignals, showRun, trainingPort, whileShown } from "./running-training.ts";
import { showBar, showEvaluation, showLines } from "./show-training.ts";
import { modelDirectory } from "../load-bundle.ts";
import { readRecipe } from "../training/recipe.ts";
import { runTraining } from "../training/run-training.ts";
import { starterNames, writeStarter } from "../training/starter-recipes.ts";

interface TrainFlags {
  output?: string;
  backend: string;
  from?: string;
  steps?: number;
  json?: boolean;
  init?: string;
  live?: number | true;
}

/** `levin train RECIPE`: supervised fine-tuning on verifiable tasks, small talk and a user's own data. */
export function addTrain(program: Command): void {
  program
    .command("train")
    .description("train a model by a recipe; goes on where an earlier run stopped")
    .argument("<recipe>", "JSON file, such as packages/spark/training/recipe.json")
    .option("--output <directory>", "checkpoints, metrics and the finished model")
    .option("--from <directory>", "a trained model to tune further (default: spark)")
    .addOption(backendOption())
    .option("--steps <n>", "instead of the recipe's number of steps", toNumber)
    .option(
      "--live [port]",
      `show curves and samples at 127.0.0.1 (port ${trainingPort})`,
      toNumber,
    )
    .option("--init <starter>", `write a recipe to begin with: ${starterNames.join(" or ")}`)
    .option("--json", "print each step as JSON")
    .action(async (path: string, flags: TrainFlags, command: Command) => {
      if (flags.init !== undefined) {
        await writeStarter(flags.init, path);
        return console.log(`wrote ${path}`);
      }
      if (flags.output === undefined) {
        command.error("error: required option '--output <directory>' not specified");
      }
      await trainBy(path, { ...flags, output: flags.output });
    });
  program
    .command("plot")
    .description("show the curves and samples of a training in the browser")
    .argument("<directory>", "what `levin train --output` wrote")
    .option("--port <n>", "port", toNumber, trainingPort)
    .action(async (directory: string, { port }: { port: number }) => {
      const server = await showRun(directory, port);
      console.log(`levin: ${directory} is shown at ${server.url}`);
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.once(signal, () => void server.close());
      }
    });
}

async function trainBy(path: string, flags: TrainFlags & { output: string }): Promise<void> {
  const recipe = await readRecipe(path);
  if (flags.steps !== undefined) recipe.steps = flags.steps;
  await selectBackend(flags.backend, { otherwise: console.error });
  const signal = endOnSignals();
  const lines = flags.json || !process.stdout.isTTY;
  await whileShown(flags.output, flags.live, async () => {
    const { step, reason } = await runTraining({
      recipe,
      directory: flags.output,
      from: flags.from ?? (recipe.newModel ? undefined : modelDirectory(undefined)),
      onStep: lines ? showLines(flags) : showBar(recipe.steps),
      onEvaluation: showEvaluation(flags),
      onNotice: console.error,
      signal,
    });
    if (reason === "aborted") {
      console.error(
        `stopped after step ${step} of ${recipe.steps}; the same command goes on there`,
      );
      process.exitCode = 130;
    }
    if (reason === "early") {
      console.error(`ended after step ${step}: the held-out loss falls no more; see best/`);
    }
  });
}
