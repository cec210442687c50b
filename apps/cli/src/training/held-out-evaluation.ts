import { generateBatch } from "@levin/model";
import type { Problem } from "@levin/tasks";
import { encodeChat, m1ChatTemplate as template, type Tokenizer } from "@levin/tokenizer";
import { batchExamples, DivergedError, evaluateLosses, type Example } from "@levin/training";
import type { Source } from "./example-sources.ts";
import type { Learner } from "./learner.ts";
import type { EvaluationRecipe } from "./recipe.ts";

/** How well a model does on what it never learned. */
export interface HeldOutEvaluation {
  /** Cross entropy over all sources that hold something out, by their weights. */
  heldOutLoss: number;
  /** The same of each source. */
  heldOutLosses: Record<string, number>;
  /** Share of right answers over all problems, and of each task. */
  accuracy?: number;
  accuracies?: Record<string, number>;
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
  const { sources, learner } = context;
  const heldOutLosses: Record<string, number> = {};
  let sum = 0;
  let weights = 0;
  for (const { name, heldOut, weight } of sources) {
    if (heldOut.length === 0) continue;
    const batches = batchExamples(heldOut, context.maxBatchTokens);
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
  const evaluation: HeldOutEvaluation = { heldOutLoss, heldOutLosses };
  const questions = sources.flatMap((source) => questionsOf(source, context));
  const samples = await answered(questions, context);
  const judged = questions.flatMap(({ problem }, i) =>
    problem ? [{ task: problem.task, right: samples[i]!.right! }] : [],
  );
  if (judged.length > 0) {
    const share = (of: typeof judged): number => of.filter(({ right }) => right).length / of.length;
    const byTask = Map.groupBy(judged, ({ task }) => task);
    evaluation.accuracy = share(judged);
    evaluation.accuracies = Object.fromEntries([...byTask].map(([task, of]) => [task, share(of)]));
  }
  const shown = sources.flatMap(({ name }) =>
    samples.filter(({ source }) => source === name).slice(0, context.recipe.samples),
  );
  return { evaluation, samples: shown };
}

interface Question {
  source: string;
  ids: number[];
  prompt: string;
  problem?: Problem;
}

function questionsOf(
  { name, problems, heldOut }: Source,
  { tokenizer, recipe }: EvaluationContext,
): Question[] {
  if (problems.length > 0) {
    return problems.map((problem) => ({
      source: name,
      prompt: problem.prompt,
      ids: encodeChat(tokenizer, [{ role: "user", content: problem.prompt }], { template }),
      problem,
    }));
  }
  return heldOut.slice(0, recipe.samples).map((example) => {
    const ids = promptOf(example);
    return { source: name, ids, prompt: tokenizer.decode(ids) };
  });
}

/** What comes before the first reply. */
function promptOf({ ids, learned }: Example): number[] {
  return ids.slice(0, learned.indexOf(1));
}

async function answered(
  questions: readonly Question[],
  { learner, tokenizer, recipe }: EvaluationContext,
): Promise<Sample[]> {
  const prompts = questions.map(({ ids }) => ids);
  const replies = await learner.withModel((model) =>
    generateBatch(model, tokenizer, prompts, { maxNewTokens: recipe.maxNewTokens }),
  );
  return questions.map(({ source, prompt, problem }, i) => {
    const { text } = replies[i]!;
    const right = problem?.verify(text);
    return {
      step: learner.state.step,
      source,
      prompt,
      reply: text,
      ...(problem && { right: right! }),
    };
  });
}
