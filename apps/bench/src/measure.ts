import type { CausalLanguageModel, CausalModelState } from "@levin/model";
import { stateAt } from "./models.ts";

/** Tokens per second: the best of several runs, and how far the worst was from it. */
export interface Rate {
  best: number;
  /** (best − worst) / best */
  spread: number;
}

/** One model at one context length. */
export interface Measurement {
  model: string;
  context: number;
  /** The chunk of the prompt that ends at this context. */
  prefill: Rate;
  /** One token after another from this context on. */
  decode: Rate;
  stateBytes: number;
}

const prefillTokens = 256;
const decodeTokens = 12;

/** Measures a model at a context length; `runs` times each, after one warm-up. */
export async function measure(
  name: string,
  model: CausalLanguageModel,
  context: number,
  runs: number,
): Promise<Measurement> {
  const before = stateAt(model, context - prefillTokens);
  const prefill = await rate(runs, prefillTokens, before, async (state) => {
    await feed(model, state, prefillTokens);
  });
  before.dispose();
  const full = stateAt(model, context);
  const stateBytes = full.byteLength;
  const decode = await rate(runs, decodeTokens, full, async (state) => {
    for (let i = 0; i < decodeTokens; i++) await feed(model, state, 1);
  });
  full.dispose();
  return { model: name, context, prefill, decode, stateBytes };
}

/** Feeds `count` tokens and waits until they are computed. */
export async function feed(
  model: CausalLanguageModel,
  state: CausalModelState,
  count: number,
): Promise<void> {
  const ids = Array.from({ length: count }, (_, i) => (7 * i + 1) % model.config.vocabSize);
  const logits = model.advance(state, { ids: [ids] });
  await logits.data();
  logits.dispose();
}

/** Milliseconds of one more token: the median of `count`, one after another from this state on. */
export async function millisecondsOfToken(
  model: CausalLanguageModel,
  state: CausalModelState,
  count: number,
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await feed(model, state, 1);
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[count >> 1]!;
}

async function rate(
  runs: number,
  tokens: number,
  start: CausalModelState,
  work: (state: CausalModelState) => Promise<void>,
): Promise<Rate> {
  const rates: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const state = start.clone();
    const began = performance.now();
    await work(state);
    const seconds = (performance.now() - began) / 1000;
    state.dispose();
    if (run > 0) rates.push(tokens / seconds);
  }
  const best = Math.max(...rates);
  return { best, spread: (best - Math.min(...rates)) / best };
}
