import { LogitsError } from "@levin/model";
import { DivergedError } from "@levin/training";

/** The same error; a divergence says too how to go on from the newest checkpoint, of step `saved`. */
export function withWayOn(error: unknown, saved: number): unknown {
  // Answers drawn from a model that its last update spoilt tell of it before any loss does.
  if (!(error instanceof DivergedError || error instanceof LogitsError)) return error;
  const kept = saved === 0 ? "start again" : `the checkpoint of step ${saved} is kept: go on`;
  return new DivergedError(`${error.message}; ${kept} with a lower learningRate`, { cause: error });
}
