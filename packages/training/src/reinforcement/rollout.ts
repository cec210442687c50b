import {
  ContinuousBatch,
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

/** Rows of one decoding step: what the fused kernels take at once. */
const maxRows = 32;
/** For the state of the prompts at hand; each is read once for all answers to it. */
const prefixBytes = 2 ** 26;

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
  { seed, ...sampling }: RolloutSampling,
): Promise<Rollout[][]> {
  const batch = new ContinuousBatch(model, tokenizer, { maxRows });
  const prefixes = new PrefixCache({ maxBytes: prefixBytes });
  try {
    return await Promise.all(
      prompts.map((prompt, p) =>
        Promise.all(
          Array.from({ length: groupSize }, (_, i) =>
            draw(batch, prompt, {
              ...sampling,
              prefixes,
              temperature: 1,
              logprobs: 0,
              seed: seed + p * groupSize + i,
            }),
          ),
        ),
      ),
    );
  } finally {
    prefixes.dispose();
  }
}

async function draw(
  batch: ContinuousBatch,
  prompt: RolloutPrompt,
  options: GenerationOptions,
): Promise<Rollout> {
  const ids: number[] = [];
  const logProbabilities: number[] = [];
  const learned: number[] = [];
  const stream = batch.add(prompt.ids, options);
  for (;;) {
    const next = await stream.next();
    if (next.done) {
      const answer = next.value.text;
      const reward = prompt.reward(answer);
      return { promptIds: prompt.ids, ids, logProbabilities, learned, answer, reward };
    }
    ids.push(next.value.id);
    logProbabilities.push(next.value.logprob!);
    learned.push(next.value.forced ? 0 : 1);
  }
}
