import { generateBatch, type CausalLanguageModel } from "@levin/model";
import { m1ChatTemplate as chatTemplate, type Tokenizer } from "@levin/tokenizer";
import { batchExamples, DivergedError, evaluateLosses, type Example } from "@levin/training";
import { accuracyOf, askProblems, type Accuracy, type JudgedReply } from "../ask-problems.ts";
import type { Source } from "./example-sources.ts";
import type { Learner } from "./learner.ts";
import type { EvaluationRecipe } from "./recipe.ts";

/** How well a model does on what it never learned; accuracies when problems are held out. */
export interface HeldOutEvaluation extends Partial<Accuracy> {
  /** Cross entropy over all sources that hold something out, by their weights. */
  heldOutLoss: number;
  /** The same of each source. */
  heldOutLosses: Record<string, number>;
}

/** An answer of the model to look at. */
export interface Sample {
  step: number;
  source: string;
  prompt: string;
  reply: string;
  /** Whether a verifier accepts it, where there is one. */
  right?: boolean;
}

export interface EvaluationContext {
  learner: Learner;
  tokenizer: Tokenizer;
  sources: readonly Source[];
  recipe: EvaluationRecipe;
  maxBatchTokens: number;
}

/**
 * Held-out losses, accuracy by generation (greedy, in batches), and some answers.
 * @throws DivergedError when a loss is not finite
 */
export async function evaluateHeldOut(
  context: EvaluationContext,
): Promise<{ evaluation: HeldOutEvaluation; samples: Sample[] }> {
  const { learner, tokenizer, sources, recipe } = context;
  const losses = await lossesOf(context);
  const problems = sources.flatMap((source) => source.problems);
  const { maxNewTokens } = recipe;
  return learner.withModel(async (model) => {
    const replies = await askProblems({ model, tokenizer, chatTemplate }, problems, {
      maxNewTokens,
    });
    const shown = replies.slice(0, recipe.samples);
    return {
      evaluation: { ...losses, ...(replies.length > 0 && accuracyOf(replies)) },
      samples: [
        ...problemSamples(learner.state.step, shown),
        ...(await conversationSamples(model, context)),
      ],
    };
  });
}

/** Replies to problems as samples of a step. */
export function problemSamples(step: number, replies: readonly JudgedReply[]): Sample[] {
  return replies.map(({ problem: { prompt }, reply, right }) => {
    return { step, source: "tasks", prompt, reply, right };
  });
}

async function lossesOf({
  learner,
  sources,
  maxBatchTokens,
}: EvaluationContext): Promise<Pick<HeldOutEvaluation, "heldOutLoss" | "heldOutLosses">> {
  const heldOutLosses: Record<string, number> = {};
  let sum = 0;
  let weights = 0;
  for (const { name, heldOut, weight } of sources) {
    if (heldOut.length === 0) continue;
    const batches = batchExamples(heldOut, maxBatchTokens);
    const { crossEntropy } = await evaluateLosses(learner.trainable, batches);
    heldOutLosses[name] = crossEntropy;
    sum += weight * crossEntropy;
    weights += weight;
  }
  const heldOutLoss = sum / weights;
  if (!Number.isFinite(heldOutLoss)) {
    const { step } = learner.state;
    throw new DivergedError(`step ${step}: expected a finite held-out loss, found ${heldOutLoss}`);
  }
  return { heldOutLoss, heldOutLosses };
}

/** Replies to what comes before the first one of held-out conversations. */
async function conversationSamples(
  model: CausalLanguageModel,
  { learner, tokenizer, sources, recipe }: EvaluationContext,
): Promise<Sample[]> {
  const asked = sources
    .filter(({ problems }) => problems.length === 0)
    .flatMap(({ name: source, heldOut }) =>
      heldOut.slice(0, recipe.samples).map((example) => ({ source, ids: promptOf(example) })),
    );
  const prompts = asked.map(({ ids }) => ids);
  const { maxNewTokens } = recipe;
  const replies = await generateBatch(model, tokenizer, prompts, { maxNewTokens });
  return asked.map(({ source, ids }, i) => ({
    step: learner.state.step,
    source,
    prompt: tokenizer.decode(ids),
    reply: replies[i]!.text,
  }));
}

function promptOf({ ids, learned }: Example): number[] {
  return ids.slice(0, learned.indexOf(1));
}
