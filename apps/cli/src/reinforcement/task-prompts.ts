import { createRandom, generateProblem, type Random, type Task } from "@levin/tasks";
import { encodeChat } from "@levin/tokenizer";
import type { RolloutPrompt } from "@levin/training";
import type { ModelBundle } from "../load-bundle.ts";
import { weightedTasks } from "../training/task-examples.ts";
import type { ReinforcementRecipe } from "./reinforcement-recipe.ts";

/** The problem of a number as a chat, rewarded with 1 when its verifier accepts the answer. */
export function taskPrompts(
  recipe: ReinforcementRecipe,
  { tokenizer, chatTemplate: template }: Omit<ModelBundle, "model">,
): (number: number) => RolloutPrompt {
  const tasks = weightedTasks(recipe);
  const { minDifficulty, maxDifficulty, seed } = recipe;
  return (number) => {
    const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ number);
    const difficulty = minDifficulty + random.fraction() * (maxDifficulty - minDifficulty);
    const problem = generateProblem(pickWeighted(tasks, random), random, { difficulty });
    const messages = [{ role: "user" as const, content: problem.prompt }];
    return {
      ids: encodeChat(tokenizer, messages, { template }),
      reward: (answer) => (problem.verify(answer) ? 1 : 0),
    };
  };
}

function pickWeighted(tasks: readonly { task: Task; weight: number }[], random: Random): Task {
  let rest = random.fraction() * tasks.reduce((sum, { weight }) => sum + weight, 0);
  return (tasks.find(({ weight }) => (rest -= weight) < 0) ?? tasks.at(-1)!).task;
}
