import type { GenerationOptions } from "@levin/model";
import { evaluationProblems, type EvaluationOptions, type Problem, type Task } from "@levin/tasks";
import { judged, type JudgedReply } from "./ask-problems.ts";
import { sumOf, type EntropyCount } from "./reply-entropy.ts";
import type { Crew } from "./spread/crew.ts";
import type { AskPiece, AskResult } from "./spread/piece.ts";

/** What came of the problems of a task. */
export interface TaskEvaluation {
  task: string;
  replies: JudgedReply[];
  /** Of the worked-out replies that a model is taught. */
  entropy: EntropyCount;
}

export interface EvaluateTasksOptions {
  problems: EvaluationOptions;
  generation: GenerationOptions;
  /** Ends early. */
  signal?: AbortSignal | undefined;
}

/** Problems that are asked in one batch. */
const together = 50;

/** Has a crew answer problems of tasks. Tells of each task in turn, as soon as it and those before are done. */
export async function* evaluateTasks(
  crew: Crew,
  tasks: readonly Task[],
  options: EvaluateTasksOptions,
): AsyncGenerator<TaskEvaluation, void> {
  const asked = tasks.map((task) => ({
    task: task.name,
    problems: evaluationProblems(task, options.problems),
  }));
  const pieces = asked.flatMap(({ problems }) => piecesOf(problems, options.generation));
  const results = new Map<number, AskResult>();
  let told = 0;
  let before = 0;
  for await (const { index, result } of crew.perform(pieces, options.signal)) {
    results.set(index, result);
    for (; told < asked.length; told++) {
      const { task, problems } = asked[told]!;
      const count = Math.ceil(problems.length / together);
      const own = Array.from({ length: count }, (_, i) => results.get(before + i));
      if (!own.every((each) => each !== undefined)) break;
      before += count;
      const replies = own.flatMap((each) => each.replies);
      const entropy = sumOf(own.map((each) => each.entropy));
      yield { task, replies: judged(problems, replies), entropy };
    }
  }
}

function piecesOf(problems: readonly Problem[], generation: GenerationOptions): AskPiece[] {
  const count = Math.ceil(problems.length / together);
  return Array.from({ length: count }, (_, i) => {
    const start = i * together;
    const { seed } = generation;
    return {
      work: "ask",
      // Without their verifiers, which stay with whoever asks.
      problems: problems.slice(start, start + together).map(({ prompt, thinking, answer }) => ({
        ...{ prompt, thinking, answer },
      })),
      // Each prompt of a batch draws by the seed and its number.
      options: { ...generation, ...(seed !== undefined && { seed: seed + start }) },
    };
  });
}
