import { createRandom, generateProblem, type Problem, type Task } from "@levin/tasks";
import type { Tokenizer } from "@levin/tokenizer";
import type { Example } from "@levin/training";

/** A problem as it is learned from and asked. */
export interface Exercise {
  problem: Problem;
  prompt: number[];
  /** The prompt with thought and answer, which are to be learned. */
  example: Example;
}

/** Exercises of tasks in turn, up to a difficulty, on one side of the split. */
export function drawExercises(
  tasks: readonly Task[],
  { tokenizer, encodePrompt }: { tokenizer: Tokenizer; encodePrompt: (text: string) => number[] },
  options: { count: number; seed: number; split: "train" | "held-out"; maxDifficulty: number },
): Exercise[] {
  const random = createRandom(options.seed);
  return Array.from({ length: options.count }, (_, i) => {
    const difficulty = random.fraction() * options.maxDifficulty;
    const { split } = options;
    const problem = generateProblem(tasks[i % tasks.length]!, random, { split, difficulty });
    const prompt = encodePrompt(problem.prompt);
    const reply = tokenizer.encode(
      `<think>\n${problem.thinking}\n</think>\n\n${problem.answer}<end_of_sentence>`,
    );
    const learned = [...prompt.map(() => 0), ...reply.map(() => 1)];
    return { problem, prompt, example: { ids: [...prompt, ...reply], learned } };
  });
}
