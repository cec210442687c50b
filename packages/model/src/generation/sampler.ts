import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus, xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { CheckedOptions } from "./generation-options.ts";
import {
  byFallingLogit,
  logProbability,
  minP,
  repetitionPenalty,
  softmax,
  temperature,
  topK,
  topP,
  type LogitFilter,
} from "./logit-filters.ts";

/** Raised when a model gives NaN or no finite logit. */
export class LogitsError extends Error {
  override readonly name = "LogitsError";
}

/** A token with its log-probability under the model. */
export interface TokenLogProbability {
  id: number;
  logprob: number;
}

/** Draws tokens; its random state can be saved. */
export interface Sampler {
  /** @param history tokens so far, for the repetition penalty */
  draw(logits: Float32Array, history: readonly number[]): number;
  /** Numbers that continue the same sequence of draws. */
  state(): number[];
}

/** A sampler of the given options, fresh or from a saved random state. */
export function createSampler(options: CheckedOptions, state?: readonly number[]): Sampler {
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  const random = state ? xoroshiro128plusFromState(state) : seededRandom(seed);
  const filters = filtersOf(options);
  return {
    draw(logits, history) {
      const filtered = logits.slice();
      for (const filter of filters) filter(filtered, history);
      checkLogits(filtered);
      return options.temperature === 0
        ? byFallingLogit(filtered)[0]!
        : drawFrom(softmax(filtered), uniformFloat64(random));
    },
    state: () => [...random.getState()],
  };
}

/** The generator's first numbers hardly depend on its seed, so they are thrown away. */
function seededRandom(seed: number): ReturnType<typeof xoroshiro128plus> {
  const random = xoroshiro128plus(seed);
  for (let i = 0; i < 64; i++) uniformFloat64(random);
  return random;
}

function filtersOf(options: CheckedOptions): LogitFilter[] {
  const filters: LogitFilter[] = [];
  if (options.repetitionPenalty) filters.push(repetitionPenalty(options.repetitionPenalty));
  if (options.temperature === 0) return filters;
  filters.push(temperature(options.temperature));
  if (options.topK) filters.push(topK(options.topK));
  if (options.topP) filters.push(topP(options.topP));
  if (options.minP) filters.push(minP(options.minP));
  return filters;
}

function checkLogits(logits: Float32Array): void {
  let finite = 0;
  for (const logit of logits) {
    if (Number.isNaN(logit) || logit === Infinity) {
      throw new LogitsError(`expected finite logits, found ${logit}`);
    }
    if (logit > -Infinity) finite++;
  }
  if (finite === 0) throw new LogitsError("expected at least one finite logit, found none");
}

function drawFrom(probabilities: Float64Array, uniform: number): number {
  let rest = uniform;
  for (const [id, probability] of probabilities.entries()) {
    rest -= probability;
    if (rest < 0) return id;
  }
  return probabilities.findLastIndex((probability) => probability > 0);
}

/** Log-probability of a token and of the likeliest ones, before any filter. */
export function logProbabilities(
  logits: Float32Array,
  id: number,
  count: number,
): { logprob: number; topLogprobs: TokenLogProbability[] } {
  const top = count > 0 ? [...byFallingLogit(logits).subarray(0, count)] : [];
  return {
    logprob: logProbability(logits, id),
    topLogprobs: top.map((other) => ({ id: other, logprob: logProbability(logits, other) })),
  };
}
