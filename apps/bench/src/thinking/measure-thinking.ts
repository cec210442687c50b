import { CausalLanguageModel, softmaxTwin } from "@levin/model";
import type { Problem } from "@levin/tasks";
import { initialiseParameters } from "@levin/training";
import { attempt, attemptWithinBudgets, limits, type Attempt } from "./attempts.ts";
import { computeCost, type Twins } from "./compute-cost.ts";
import { longThoughts } from "./long-thoughts.ts";
import type { Reasoner } from "./reasoner.ts";
import { replay } from "./replay.ts";
import { byVerifier, byVote, scoresOf } from "./scores.ts";
import type { BudgetPoint, SamplesPoint, ThinkingRecord } from "./thinking-record.ts";

/** What to measure. */
export interface ThinkingOptions {
  budgets: number[];
  answerTokens: number;
  /** Numbers of samples; as many as the largest are drawn, and the first of them counted. */
  samples: number[];
  temperature: number;
  sampleBudget: number;
  problemSeed: number;
  /** Problems whose answers are timed. */
  timed: number;
  /** Contexts at which a token is timed. */
  long: number[];
}

/** Raised for a trained twin that has other layers than softmax ones. */
class TwinError extends Error {
  override readonly name = "TwinError";
}

type Findings = Pick<ThinkingRecord, "budgets" | "samples" | "long" | "trainedTwin">;

/**
 * Accuracy and cost by thinking budget and by number of samples.
 *
 * @param options.trained a trained all-softmax twin to ask too, and to measure instead of a random one
 * @throws TwinError
 */
export async function measureThinking(
  reasoner: Reasoner,
  problems: readonly Problem[],
  { trained, ...options }: ThinkingOptions & { trained: Reasoner | undefined },
): Promise<Findings> {
  const twins = { hybrid: reasoner.model, softmax: trained?.model ?? randomTwin(reasoner.model) };
  if (twins.softmax.config.layerTypes.some((type) => type !== "softmax")) {
    const found = twins.softmax.config.layerTypes.join(", ");
    throw new TwinError(`twin: expected softmax attention in every layer, found ${found}`);
  }
  const budgetsOf = async (asked: Reasoner): Promise<BudgetPoint[]> => {
    const { budgets, answerTokens } = options;
    const attempts = await attemptWithinBudgets(asked, problems, budgets, answerTokens);
    return inTurn([...attempts], async ([budget, each]) => ({
      budget,
      scores: scoresOf(each, byVote),
      cost: await computeCost(each, twins, options.timed),
    }));
  };
  await warmUp(twins);
  return {
    budgets: await budgetsOf(reasoner),
    samples: await measureSamples(reasoner, problems, twins, options),
    long: await longThoughts(twins, options.long),
    ...(trained && {
      trainedTwin: { model: trained.name, budgets: await budgetsOf(trained) },
    }),
  };
}

async function measureSamples(
  reasoner: Reasoner,
  problems: readonly Problem[],
  twins: Twins,
  options: ThinkingOptions,
): Promise<SamplesPoint[]> {
  const counts = options.samples.toSorted((a, b) => a - b);
  const most = counts.at(-1) ?? 0;
  process.stderr.write(`${reasoner.name}: ${most} samples of ${problems.length} problems\n`);
  const drawn = await attempt(reasoner, problems, {
    count: most,
    temperature: options.temperature,
    seed: options.problemSeed,
    ...limits(options.sampleBudget, options.answerTokens),
  });
  return inTurn(counts, async (count) => {
    const attempts = drawn.map((each): Attempt => ({
      ...each,
      results: each.results.slice(0, count),
    }));
    return {
      count,
      vote: scoresOf(attempts, byVote),
      best: scoresOf(attempts, byVerifier),
      cost: await computeCost(attempts, twins, options.timed),
    };
  });
}

/** The same shape with softmax attention everywhere, and random weights: enough to time it. */
function randomTwin({ config }: CausalLanguageModel): CausalLanguageModel {
  const { quantization: _quantization, ...twin } = softmaxTwin(config);
  return new CausalLanguageModel(twin, initialiseParameters(twin, 1));
}

async function warmUp(twins: Twins): Promise<void> {
  const tokens = Array.from({ length: 32 }, (_, i) => i);
  for (const model of Object.values(twins)) await replay(model, tokens, [tokens, tokens]);
}

async function inTurn<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
