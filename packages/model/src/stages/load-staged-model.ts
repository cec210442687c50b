import * as tf from "@tensorflow/tfjs-core";
import type { CausalLanguageModel } from "../causal-language-model.ts";
import { readConfig } from "../checkpoint/checkpoint-files.ts";
import { loadModel } from "../load-model.ts";
import { planStages, StagePlanError, type StagePlan } from "../planner/plan-stages.ts";
import { describeStage } from "./stage-error.ts";
import { StageRing } from "./stage-ring.ts";
import { StagedModel } from "./staged-model.ts";

/** Options of {@link loadStagedModel}. */
export interface StagedOptions {
  /** How many stages; default: as the planner finds it. */
  stages?: number | undefined;
  /** Name that the current backend was selected by; `native` is one that tfjs calls wasm. */
  backend?: string | undefined;
}

const wasmMemoryBytes = 2 ** 32;

/** Backends that start anew in every thread. */
const stageBackends = ["wasm", "cpu"];

/**
 * Loads a model directory in stages: threads that share its layers, each with a tfjs backend like
 * the current one and a memory of its own.
 *
 * @throws StagePlanError for a number of stages or a backend that does not go; else as `loadModel`
 */
export async function loadStagedModel(
  directory: string,
  { stages: count, backend: asked }: StagedOptions = {},
): Promise<StagedModel> {
  const current = tf.getBackend();
  if (!stageBackends.includes(current)) {
    throw new StagePlanError(
      `stages: expected the backend ${stageBackends.join(" or ")}, found ${current}`,
    );
  }
  const config = await readConfig(directory);
  const stages = planStages(config, count);
  if (current === "wasm") checkMemory(stages);
  const backend = current === "wasm" && asked === "native" ? asked : current;
  return new StagedModel(config, await StageRing.start({ directory, config, stages, backend }));
}

/** Refuses at once what would fail after gigabytes of loading. */
function checkMemory(stages: readonly StagePlan[]): void {
  const stage = stages.findIndex(({ weightBytes }) => weightBytes >= wasmMemoryBytes);
  if (stage < 0) return;
  const gibibytes = (stages[stage]!.weightBytes / 2 ** 30).toFixed(1);
  throw new StagePlanError(
    `${describeStage(stage, stages)}: expected less than 4 GiB of weights, found ${gibibytes}; ` +
      "more stages or quantised weights need less",
  );
}

/**
 * Loads a model to generate with: in stages when that is asked for, or when its weights would not
 * fit into the one memory of the wasm backend, else whole.
 *
 * @throws StagePlanError, and what `loadModel` throws
 */
export async function loadForGeneration(
  directory: string,
  { stages, backend }: StagedOptions = {},
): Promise<CausalLanguageModel | StagedModel> {
  const isBounded = tf.getBackend() === "wasm";
  const count = stages ?? (isBounded ? planStages(await readConfig(directory)).length : 1);
  return count === 1
    ? loadModel(directory)
    : loadStagedModel(directory, { stages: count, backend });
}
