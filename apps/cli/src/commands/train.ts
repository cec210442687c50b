import { selectBackend } from "@levin/kernels/node";
import type { Progress, StepReport } from "@levin/training";
import { SingleBar } from "cli-progress";
import type { Command } from "commander";
import { backendOption } from "./backend-option.ts";
import { readRecipe } from "../training/recipe.ts";
import { runTraining } from "../training/run-training.ts";

interface TrainFlags {
  output: string;
  backend: string;
  from?: string;
  steps?: number;
  json?: boolean;
}

/** `levin train RECIPE`: supervised fine-tuning on the verifiable tasks. */
export function addTrain(program: Command): void {
  program
    .command("train")
    .description("train a model by a recipe; goes on where an earlier run stopped")
    .argument("<recipe>", "JSON file, such as packages/spark/training/recipe.json")
    .requiredOption("--output <directory>", "checkpoints, metrics and the finished model")
    .option("--from <directory>", "a trained model to tune further")
    .addOption(backendOption())
    .option("--steps <n>", "instead of the recipe's number of steps", Number)
    .option("--json", "print each step as JSON")
    .action(async (path: string, flags: TrainFlags) => {
      const recipe = await readRecipe(path);
      if (flags.steps !== undefined) recipe.steps = flags.steps;
      await selectBackend(flags.backend, { otherwise: console.error });
      const controller = new AbortController();
      // A second signal ends the process at once.
      for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => controller.abort());
      const show = flags.json || !process.stdout.isTTY ? showLines(flags) : showBar(recipe.steps);
      const step = await runTraining({
        recipe,
        directory: flags.output,
        from: flags.from,
        onStep: show,
        signal: controller.signal,
      });
      if (step < recipe.steps) {
        console.error(
          `stopped after step ${step} of ${recipe.steps}; the same command goes on there`,
        );
        process.exitCode = 130;
      }
    });
}

type Show = (report: StepReport, progress: Progress) => void;

function showLines({ json }: TrainFlags): Show {
  return (report, progress) => {
    const line = json ? JSON.stringify({ ...report, ...progress }) : describe(report, progress);
    console.log(line);
  };
}

function showBar(steps: number): Show {
  const bar = new SingleBar({ format: "{bar} {percentage}% {figures}" });
  return (report, progress) => {
    if (!bar.isActive) bar.start(steps, report.step - 1);
    bar.update(report.step, { figures: describe(report, progress) });
    if (report.step === steps) bar.stop();
  };
}

function describe(report: StepReport, { crossEntropy, tokensPerSecond, eta }: Progress): string {
  return [
    `step ${report.step}`,
    `loss ${crossEntropy.toFixed(4)}`,
    `${tokensPerSecond.toFixed(0)} tokens/s`,
    `${(eta / 60).toFixed(1)} min left`,
  ].join(" | ");
}
