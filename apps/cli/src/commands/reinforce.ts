import { selectBackend } from "@levin/kernels/node";
import type { IterationReport } from "@levin/training";
import type { Command } from "commander";
import { modelDirectory } from "../load-bundle.ts";
import { readReinforcementRecipe } from "../reinforcement/reinforcement-recipe.ts";
import { runReinforcement } from "../reinforcement/run-reinforcement.ts";
import { backendOption } from "./backend-option.ts";
import { copyRecipe } from "../training/starter-recipes.ts";
import { toNumber } from "./generation-flags.ts";
import { endOnSignals, trainingPort, whileShown } from "./running-training.ts";
import { showAccuracy } from "./show-training.ts";
import { addSpreadFlags } from "./spread-flags.ts";
import { isShared, openCrew, type SpreadFlags } from "../spread/open-crew.ts";

interface ReinforceFlags extends SpreadFlags {
  output?: string;
  backend: string;
  from?: string;
  iterations?: number;
  json?: boolean;
  init?: boolean;
  live?: number | true;
}

/** `levin reinforce RECIPE`: CISPO on the verifiable tasks. */
export function addReinforce(program: Command): void {
  addSpreadFlags(program.command("reinforce"))
    .description(
      "teach a model by reward on verifiable tasks; goes on where an earlier run stopped",
    )
    .argument("<recipe>", "JSON file, such as packages/spark/training/reinforcement.json")
    .option("--output <directory>", "checkpoints, metrics and the finished model")
    .option("--from <directory>", "the model to start from (default: spark)")
    .addOption(backendOption())
    .option("--iterations <n>", "instead of the recipe's number of iterations", toNumber)
    .option("--live [port]", `show curves at 127.0.0.1 (port ${trainingPort})`, toNumber)
    .option("--init", "write a recipe to begin with")
    .option("--json", "print each iteration as JSON")
    .action(async (path: string, flags: ReinforceFlags, command: Command) => {
      if (flags.init) {
        await copyRecipe("reinforcement", path);
        return console.log(`wrote ${path}`);
      }
      if (flags.output === undefined) {
        command.error("error: required option '--output <directory>' not specified");
      }
      await reinforceBy(path, { ...flags, output: flags.output });
    });
}

async function reinforceBy(
  path: string,
  flags: ReinforceFlags & { output: string },
): Promise<void> {
  const recipe = await readReinforcementRecipe(path);
  if (flags.iterations !== undefined) recipe.iterations = flags.iterations;
  await selectBackend(flags.backend, { otherwise: console.error });
  const signal = endOnSignals();
  const from = modelDirectory(flags.from);
  const crew = isShared(flags) ? await openCrew({ ...flags, model: from }) : undefined;
  try {
    await whileShown(flags.output, flags.live, async () => {
      const { iterations, nothingToLearn } = await runReinforcement({
        recipe,
        directory: flags.output,
        from,
        crew,
        onIteration: (report) =>
          console.log(flags.json ? JSON.stringify(report) : describeIteration(report)),
        onEvaluation: showAccuracy(flags),
        signal,
      });
      if (nothingToLearn !== undefined) console.error(`ended early: ${nothingToLearn}`);
      if (signal.aborted && iterations < recipe.iterations) {
        console.error(
          `stopped after iteration ${iterations} of ${recipe.iterations}; the same command goes on there`,
        );
        process.exitCode = 130;
      }
    });
  } finally {
    await crew?.close();
  }
}

function describeIteration(report: IterationReport): string {
  const { iteration, reward, mixedShare, length, entropy, drawSeconds, updateSeconds } = report;
  return [
    `iteration ${iteration}`,
    `reward ${reward.toFixed(3)}`,
    `mixed groups ${(100 * mixedShare).toFixed(0)} %`,
    `${length.toFixed(0)} tokens an answer`,
    `entropy ${entropy.toFixed(3)}`,
    `${drawSeconds.toFixed(1)} + ${updateSeconds.toFixed(1)} s`,
  ].join(" | ");
}
