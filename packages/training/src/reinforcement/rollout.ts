import {
  generateBatch,
  PrefixCache,
  type GenerationOptions,
  type NextTokenModel,
  type TextTokenizer,
} from "@levin/model";

/** A question and how an answer to it is judged. */
export interface RolloutPrompt {
  ids: readonly number[];
  /** Reward of an answer, without its thought: 1 for a right one, 0 for a wrong one. */
  reward(answer: string): number;
}

/** One answer that the policy drew. */
export interface Rollout {
  promptIds: readonly number[];
  /** Thought, answer and end. */
  ids: readonly number[];
  /** Of each id, under the policy that drew it. */
  logProbabilities: readonly number[];
  /** 0 for tokens that closed a thought over its budget: the policy did not choose them. */
  learned: readonly number[];
  answer: string;
  reward: number;
}

/** How answers are drawn; the temperature is 1, so that probabilities are the policy's own. */
export type RolloutSampling = Pick<
  GenerationOptions,
  "maxNewTokens" | "thinkingBudget" | "truncateRepetition" | "signal"
> & { seed: number };

/**
 * Draws `groupSize` answers to each prompt, all in one batch, those to the same prompt from one
 * prefilled state.
 *
 * @returns a group for each prompt
 */
export async function drawGroups(
  model: NextTokenModel,
  tokenizer: TextTokenizer,
  prompts: readonly RolloutPrompt[],
  groupSize: number,
  sampling: RolloutSampling,
): Promise<Rollout[][]> {
  const drawn = prompts.flatMap((prompt) =>
    Array.from({ length: groupSize }, () => ({
      prompt,
      logProbabilities: [] as number[],
      learned: [] as number[],
    })),
  );
  const prefixes = new PrefixCache();
  try {
    const ids = drawn.map(({ prompt }) => prompt.ids);
    const results = await generateBatch(model, tokenizer, ids, {
      ...sampling,
      prefixes,
      temperature: 1,
      logprobs: 0,
      onToken: ({ logprob, forced }, i) => {
        drawn[i]!.logProbabilities.push(logprob!);
        drawn[i]!.learned.push(forced ? 0 : 1);
      },
    });
    const rollouts = drawn.map(({ prompt, ...marks }, i): Rollout => {
      const { ids: answered, text: answer } = results[i]!;
      const reward = prompt.reward(answer);
      return { promptIds: prompt.ids, ids: answered, ...marks, answer, reward };
    });
    return prompts.map((_, p) => rollouts.slice(p * groupSize, (p + 1) * groupSize));
  } finally {
    prefixes.dispose();
  }
}
