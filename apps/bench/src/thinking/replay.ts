import type { CausalLanguageModel, CausalModelState } from "@levin/model";
import type * as tf from "@tensorflow/tfjs-core";

/** What it took to compute some answers. */
export interface ReplayCost {
  seconds: number;
  /** The largest that the state became, all rows together. */
  stateBytes: number;
}

/** Prompt tokens fed at once, as `generate` does. */
const prefillChunk = 512;

/**
 * Feeds a prompt and then given completions to a model, whatever it would have said itself: the cost
 * of the same tokens in any model. Several completions go on as rows from one prefilled state. As in
 * generation, the last token of each is not fed, and every step waits for its logits.
 */
export async function replay(
  model: CausalLanguageModel,
  prompt: readonly number[],
  completions: readonly (readonly number[])[],
): Promise<ReplayCost> {
  // Longest first: those still going are always the first rows.
  const rows = completions.map((ids) => ids.slice(0, -1)).toSorted((a, b) => b.length - a.length);
  const started = performance.now();
  let state = model.createState(1);
  const keepRows = (kept: readonly number[]): void => {
    const next: CausalModelState = state.regroup(kept);
    state.dispose();
    state = next;
  };
  for (let start = 0; start < prompt.length; start += prefillChunk) {
    await read(model.advance(state, { ids: [prompt.slice(start, start + prefillChunk)] }));
  }
  let stateBytes = state.byteLength;
  for (let step = 0; ; step++) {
    const going = rows.filter(({ length }) => length > step);
    if (going.length === 0) break;
    if (step === 0) keepRows(going.map(() => 0));
    else if (going.length < state.batch) keepRows(going.map((_, row) => row));
    await read(model.advance(state, { ids: going.map((ids) => [ids[step]!]) }));
    stateBytes = Math.max(stateBytes, state.byteLength);
  }
  state.dispose();
  return { seconds: (performance.now() - started) / 1000, stateBytes };
}

async function read(logits: tf.Tensor2D): Promise<void> {
  await logits.data();
  logits.dispose();
}
