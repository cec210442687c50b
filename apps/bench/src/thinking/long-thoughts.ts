import { millisecondsOfToken } from "../measure.ts";
import { stateAt } from "../models.ts";
import { plannedFlops, type Twins } from "./compute-cost.ts";

/** What a thought of some length costs in both twins. */
export interface LongThought {
  tokens: number;
  hybrid: LongThoughtCost;
  softmax: LongThoughtCost;
}

interface LongThoughtCost {
  /** Measured: one more token at this context, the median of several. */
  millisecondsPerToken: number;
  /** Extrapolated: all tokens from an empty context on, linearly between the measured contexts. */
  seconds: number;
  /** By the planner: all tokens. */
  flops: number;
  stateBytes: number;
}

const decodeTokens = 32;

/** Measures a token of thought at each context; caches are filled with random numbers up to it. */
export async function longThoughts(
  twins: Twins,
  contexts: readonly number[],
): Promise<LongThought[]> {
  const flops = plannedFlops(twins.hybrid.config);
  const thoughts: LongThought[] = [];
  for (const tokens of contexts.toSorted((a, b) => a - b)) {
    const measured = async (name: keyof Twins): Promise<LongThoughtCost> => {
      const cost = await tokenAt(twins[name], tokens);
      const before = thoughts.at(-1);
      const { seconds, millisecondsPerToken } = before?.[name] ?? {
        seconds: 0,
        millisecondsPerToken: cost.millisecondsPerToken,
      };
      const middle = (millisecondsPerToken + cost.millisecondsPerToken) / 2;
      const more = ((tokens - (before?.tokens ?? 0)) * middle) / 1000;
      return { ...cost, seconds: seconds + more, flops: flops[name](0, tokens) };
    };
    thoughts.push({
      tokens,
      hybrid: await measured("hybrid"),
      softmax: await measured("softmax"),
    });
  }
  return thoughts;
}

async function tokenAt(
  model: Twins["hybrid"],
  context: number,
): Promise<Pick<LongThoughtCost, "millisecondsPerToken" | "stateBytes">> {
  const state = stateAt(model, context);
  const { byteLength: stateBytes } = state;
  const millisecondsPerToken = await millisecondsOfToken(model, state, decodeTokens);
  state.dispose();
  return { millisecondsPerToken, stateBytes };
}
