/** A linear warm-up, then half a cosine. */
export interface LearningRateSchedule {
  peak: number;
  warmupSteps: number;
  totalSteps: number;
  /** Learning rate at the end, as a share of the peak; default 0.1. */
  floor?: number;
}

/** Linear warm-up, then half a cosine down to the floor. Steps count from 0. */
export function learningRate(step: number, schedule: LearningRateSchedule): number {
  const { peak, warmupSteps, totalSteps, floor = 0.1 } = schedule;
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  return peak * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
