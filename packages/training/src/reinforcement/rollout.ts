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

/** One answer that the policy drew, in plain JSON. */
export interface DrawnAnswer {
  /** Thought, answer and end. */
  ids: readonly number[];
  /** Of each id, under the policy that drew it. */
  logProbabilities: readonly number[];
  /** 0 for tokens that closed a thought over its budget: the policy did not choose them. */
  learned: readonly number[];
  answer: string;
}

/** A drawn answer, to what, and what it is worth. */
export interface Rollout extends DrawnAnswer {
  promptIds: readonly number[];
  reward: number;
}

/** How answers are drawn; the temperature is 1, so that probabilities are the policy's own. */
export type RolloutSampling = Pick<
  GenerationOptions,
  "maxNewTokens" | "thinkingBudget" | "truncateRepetition" | "signal"
> & { seed: number };

/**
 * Draws `groupSize` answers to each prompt. Answer a to prompt p has the seed `seed + p × groupSize +
 * a`, so that prompts can be shared out among processes.
 *
 * @returns a group for each prompt; after an abort perhaps fewer
 */
export type DrawAnswers = (
  prompts: readonly (readonly number[])[],
  groupSize: number,
  sampling: RolloutSampling,
) => Promise<DrawnAnswer[][]>;

/** Draws answers in one batch, those to the same prompt from one prefilled state. */
export function answerDrawing(model: NextTokenModel, tokenizer: TextTokenizer): DrawAnswers {
  return async (prompts, groupSize, sampling) => {
    const asked = prompts.flatMap((ids) => Array.from({ length: groupSize }, () => ids));
    const logProbabilities = asked.map((): number[] => []);
    const learned = asked.map((): number[] => []);
    const prefixes = new PrefixCache();
    try {
      const results = await generateBatch(model, tokenizer, asked, {
        ...sampling,
        prefixes,
        temperature: 1,
        logprobs: 0,
        onToken: ({ logprob, forced }, i) => {
          logProbabilities[i]!.push(logprob!);
          learned[i]!.push(forced ? 0 : 1);
        },
      });
      const answers = results.map(({ ids, text: answer }, i): DrawnAnswer => ({
        ids,
        logProbabilities: logProbabilities[i]!,
        learned: learned[i]!,
        answer,
      }));
      return prompts.map((_, p) => answers.slice(p * groupSize, (p + 1) * groupSize));
    } finally {
      prefixes.dispose();
    }
  };
}

/** Draws groups and judges their answers. */
export async function drawGroups(
  draw: DrawAnswers,
  prompts: readonly RolloutPrompt[],
  groupSize: number,
  sampling: RolloutSampling,
): Promise<Rollout[][]> {
  const groups = await draw(
    prompts.map(({ ids }) => ids),
    groupSize,
    sampling,
  );
  return groups.map((group, p) => {
    const prompt = prompts[p]!;
    return group.map((drawn) => {
      return { ...drawn, promptIds: prompt.ids, reward: prompt.reward(drawn.answer) };
    });
  });
}
