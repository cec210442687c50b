import { OutOfMemoryError } from "@levin/kernels/node";
import { CheckpointError } from "../checkpoint/byte-source.ts";
import type { LayerRange } from "../decoder.ts";
import { ModelStateError } from "../model-state-bytes.ts";
import type { StageFailure } from "./stage-message.ts";

/** Raised when a stage of a model has ended or failed; says which. */
export class StageError extends Error {
  override readonly name = "StageError";
}

/** Errors that are of the same type here as in the stage. */
const sameHere = { OutOfMemoryError, CheckpointError, ModelStateError };

/** An error of a stage as one of this thread, naming the stage. */
export function stageError(
  { stage, name, message }: StageFailure,
  stages: readonly LayerRange[],
): Error {
  const type = Object.hasOwn(sameHere, name) ? sameHere[name as keyof typeof sameHere] : StageError;
  return new type(`${describeStage(stage, stages)}: ${message}`);
}

/** Such as "stage 2 of 3 (layers 4 to 7)", counted as people do; layers as on disk. */
export function describeStage(stage: number, stages: readonly LayerRange[]): string {
  const { from, to } = stages[stage]!;
  const layers = to - from === 1 ? `layer ${from}` : `layers ${from} to ${to - 1}`;
  return `stage ${stage + 1} of ${stages.length} (${layers})`;
}
