import type { StepReport } from "./trainer.ts";

/** Weight of the past in the smoothed figures. */
const smoothing = 0.95;

/** Smoothed figures of a running training. */
export interface Progress {
  crossEntropy: number;
  tokensPerSecond: number;
  /** Seconds to the last step. */
  eta: number;
}

/** Follows the reports of a training; each call gives the figures so far. */
export function createProgress(totalSteps: number): (report: StepReport) => Progress {
  let loss: number | undefined;
  let tokens = 0;
  let seconds = 0;
  let seen = 0;
  return (report) => {
    loss =
      loss === undefined
        ? report.crossEntropy
        : smoothing * loss + (1 - smoothing) * report.crossEntropy;
    tokens = smoothing * tokens + report.tokens;
    seconds = smoothing * seconds + report.seconds;
    seen += 1;
    const steps = (1 - smoothing ** seen) / (1 - smoothing);
    return {
      crossEntropy: loss,
      tokensPerSecond: tokens / seconds,
      eta: ((totalSteps - report.step) * seconds) / steps,
    };
  };
}
