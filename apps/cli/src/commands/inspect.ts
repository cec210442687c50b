import { stat } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig, planModel, planStages, type ModelPlan, type StagePlan } from "@levin/model";
import { readJsonFile } from "@levin/model/node";
import type { Command } from "commander";
import { modelDirectory } from "../load-bundle.ts";

/** `levin inspect [MODEL]`: what a model costs, from its config alone. */
export function addInspect(program: Command): void {
  program
    .command("inspect")
    .description("parameters, memory and FLOPs per token of a model directory or config.json")
    .argument("[path]", "model directory or config.json (default: spark)")
    .option("--context <n...>", "context lengths", ["1024", "8192", "65536", "131072", "1048576"])
    .option("--json", "print JSON")
    .action(async (path: string | undefined, flags: { context: string[]; json?: boolean }) => {
      const given = modelDirectory(path);
      const file = (await stat(given)).isDirectory() ? join(given, "config.json") : given;
      const config = parseConfig(await readJsonFile(file));
      const plan = planModel(config, flags.context.map(Number));
      if (flags.json) console.log(JSON.stringify(plan));
      else print(plan, planStages(config));
    });
}

function print(
  { parameters, weightBytes, quantizedBits, state, contexts }: ModelPlan,
  stages: readonly StagePlan[],
): void {
  console.log(`parameters  ${parameters.total.toLocaleString("en")}`);
  console.log(`active      ${parameters.active.toLocaleString("en")} for each token`);
  for (const [part, count] of Object.entries(parameters.byPart)) {
    console.log(`  ${part.padEnd(10)}${count.toLocaleString("en")}`);
  }
  const weights = Object.entries(weightBytes).map(([type, bytes]) => `${type} ${size(bytes)}`);
  console.log(`weights     ${weights.join(", ")}`);
  if (quantizedBits !== null) {
    console.log(`stored      int${quantizedBits}, ${size(weightBytes[`int${quantizedBits}`])}`);
  }
  console.log(`on wasm     ${memory(stages)}`);
  console.log(
    `state       ${size(state.lightningBytes)} of fixed size, and ${size(state.cacheBytesPerToken)} for each token`,
  );
  console.log("\n   context        state   FLOPs/token   all-softmax twin   share");
  for (const context of contexts) {
    const share = context.flopsPerToken / context.softmaxTwinFlopsPerToken;
    console.log(
      [
        context.length.toLocaleString("en").padStart(10),
        size(context.stateBytes).padStart(13),
        context.flopsPerToken.toExponential(3).padStart(14),
        context.softmaxTwinFlopsPerToken.toExponential(3).padStart(19),
        `${(100 * share).toFixed(1)} %`.padStart(8),
      ].join(""),
    );
  }
}

function memory(stages: readonly StagePlan[]): string {
  const bytes = stages.map(({ weightBytes }) => weightBytes);
  const largest = Math.max(...bytes);
  const total = size(bytes.reduce((sum, each) => sum + each, 0));
  if (largest >= 2 ** 32) {
    return `${total} of weights: layers of up to ${size(largest)} fit into no memory of 4 GiB`;
  }
  if (stages.length === 1) return `${total} of weights, in one memory`;
  return `${total} of weights, in ${stages.length} stages of up to ${size(largest)}`;
}

function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
