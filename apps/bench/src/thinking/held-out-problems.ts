import { allTasks, createRandom, generateProblem, type Problem, type Task } from "@levin/tasks";

/** Raised for the name of a task that does not exist. */
class UnknownTaskError extends Error {
  override readonly name = "UnknownTaskError";
}

interface ProblemSet {
  /** Names of tasks; all of them when left out. */
  tasks?: readonly string[] | undefined;
  /** Problems of each task. */
  count: number;
  seed: number;
  /** Difficulties are drawn from 0 to this. */
  maxDifficulty: number;
}

/**
 * Problems that were never trained on, the same that `levin eval` asks for a seed.
 * @throws UnknownTaskError
 */
export function heldOutProblems({ tasks, count, seed, maxDifficulty }: ProblemSet): Problem[] {
  return (tasks?.map(taskNamed) ?? allTasks).flatMap((task) => {
    const random = createRandom(seed);
    const scaled: Task = {
      ...task,
      generate: (source, difficulty) => task.generate(source, difficulty * maxDifficulty),
    };
    return Array.from({ length: count }, () =>
      generateProblem(scaled, random, { split: "held-out" }),
    );
  });
}

function taskNamed(name: string): Task {
  const task = allTasks.find((other) => other.name === name);
  if (task) return task;
  const known = allTasks.map((other) => other.name).join(", ");
  throw new UnknownTaskError(`tasks: expected some of ${known}, found "${name}"`);
}
