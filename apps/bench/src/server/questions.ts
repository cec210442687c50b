import { allTasks, createRandom, sampleProblem } from "@levin/tasks";

/** Endless questions of all tasks, the same for the same seed; hardly a prompt comes twice. */
export function questions(seed: number): () => string {
  const random = createRandom(seed);
  return () => sampleProblem(allTasks, random, { maxDifficulty: 0.6 }).prompt;
}
