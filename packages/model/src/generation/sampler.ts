import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus, xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { CheckedOptions } from "./generation-options.ts";
import {
  argMax,
  likeliest,
  logitBias,
  logSumExp,
  minP,
  occurrencePenalty,
  repetitionPenalty,
  softmax,
  temperature,
  topK,
  topP,
  type LogitFilter,
} from "./logit-filters.ts";

/** Raised when a model gives NaN, +∞ or no finite logit at all (−∞ hides a token). */
export class LogitsError extends Error {
  override readonly name = "LogitsError";
}

/** A token with its log-probability under the model. */
export interface TokenLogProbability {
  id: number;
  logprob: number;
}

/** A sequence of random numbers, somewhere in its middle. */
export interface SamplerState {
  seed: number;
  numbers: number[];
}

/** Draws tokens; its random state can be saved. */
export interface Sampler {
  /**
   * @param seen tokens so far, for the repetition penalty
   * @param said how often each was generated, for the others
   * @throws LogitsError
   */
  draw(logits: Float32Array, seen: ReadonlySet<number>, said: ReadonlyMap<number, number>): number;
  state(): SamplerState;
}

/**
 * A sampler of the given options. From a saved state it goes on with that sequence, unless the
 * options name another seed.
 */
export function createSampler(options: CheckedOptions, saved?: SamplerState): Sampler {
  const seed = options.seed ?? saved?.seed ?? Math.floor(Math.random() * 2 ** 31);
  const random =
    saved?.seed === seed ? xoroshiro128plusFromState(saved.numbers) : seededRandom(seed);
  const filters = filtersOf(options);
  return {
    draw(logits, seen, said) {
      checkLogits(logits);
      const filtered = logits.slice();
      for (const filter of filters) filter(filtered, seen, said);
      return options.temperature === 0
        ? argMax(filtered)
        : drawFrom(softmax(filtered), uniformFloat64(random));
    },
    state: () => ({ seed, numbers: [...random.getState()] }),
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
  if (options.logitBias) filters.push(logitBias(options.logitBias));
  if (options.repetitionPenalty) filters.push(repetitionPenalty(options.repetitionPenalty));
  const { presencePenalty = 0, frequencyPenalty = 0 } = options;
  if (presencePenalty !== 0 || frequencyPenalty !== 0) {
    filters.push(occurrencePenalty(presencePenalty, frequencyPenalty));
  }
  if (options.temperature === 0) return filters;
  filters.push(temperature(options.temperature));
  if (options.topK) filters.push(topK(options.topK));
  if (options.topP) filters.push(topP(options.topP));
  if (options.minP) filters.push(minP(options.minP));
  return filters;
}

function checkLogits(logits: Float32Array): void {
  let finite = 0;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!;
    if (Number.isNaN(logit) || logit === Infinity) {
      throw new LogitsError(`expected finite logits, found ${logit} for token ${i}`);
    }
    if (logit > -Infinity) finite++;
  }
  if (finite === 0) throw new LogitsError("expected at least one finite logit, found none");
}

function drawFrom(probabilities: Float64Array, uniform: number): number {
  let rest = uniform;
  for (let id = 0; id < probabilities.length; id++) {
    rest -= probabilities[id]!;
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
  const total = logSumExp(logits);
  return {
    logprob: logits[id]! - total,
    topLogprobs: likeliest(logits, count).map((other) => ({
      id: other,
      logprob: logits[other]! - total,
    })),
  };
}
