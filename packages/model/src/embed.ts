import * as tf from "@tensorflow/tfjs-core";
import type { CausalLanguageModel } from "./causal-language-model.ts";
import { nextTask } from "./generation/next-task.ts";
import { TokenBatchError } from "./token-batch.ts";

/** Options of {@link embed}. */
export interface EmbedOptions {
  /** Mean over the tokens, or the last one's; default mean. */
  pooling?: "mean" | "last";
  /** Padded tokens computed at once; default 8192. */
  maxBatchTokens?: number;
}

/**
 * Embeddings of texts by the model itself: its hidden states behind the final norm, pooled and
 * scaled to length 1, so that a dot product is the cosine of the angle between two texts.
 *
 * @param texts token ids of each text
 * @returns `hidden` numbers for each text
 * @throws TokenBatchError for a text without tokens or with unknown ids
 */
export async function embed(
  model: CausalLanguageModel,
  texts: readonly (readonly number[])[],
  { pooling = "mean", maxBatchTokens = 8192 }: EmbedOptions = {},
): Promise<Float32Array[]> {
  expectTokens(texts);
  const embeddings: Float32Array[] = [];
  for (const group of likeLengths(texts, maxBatchTokens)) {
    const pooled = tf.tidy(() => {
      const ids = group.map((text) => texts[text]!);
      const states = pooledStates(model, ids, pooling);
      return tf.div(states, tf.maximum(tf.norm(states, 2, 1, true), 1e-12)) as tf.Tensor2D;
    });
    const values = (await pooled.data()) as Float32Array;
    pooled.dispose();
    const { hiddenSize } = model.config;
    group.forEach((text, row) => {
      embeddings[text] = values.slice(row * hiddenSize, (row + 1) * hiddenSize);
    });
    // A server gets to its other requests between groups.
    await nextTask();
  }
  return embeddings;
}

/** Numbers of texts of like length, in groups of at most `maxTokens` padded tokens. */
function likeLengths(texts: readonly (readonly number[])[], maxTokens: number): number[][] {
  const order = texts.map((_, text) => text).sort((a, b) => texts[b]!.length - texts[a]!.length);
  const groups: number[][] = [];
  let longest = 0;
  for (const text of order) {
    const group = groups.at(-1);
    if (group && (group.length + 1) * longest <= maxTokens) group.push(text);
    else {
      groups.push([text]);
      longest = texts[text]!.length;
    }
  }
  return groups;
}

/**
 * Hidden states of texts behind the final norm, pooled over each text's tokens; differentiable.
 *
 * @param texts token ids of each text
 * @param pooling mean over the tokens, or the last one's
 * @returns `[texts, hidden]`
 * @throws TokenBatchError for a text without tokens or with unknown ids
 */
export function pooledStates(
  model: CausalLanguageModel,
  texts: readonly (readonly number[])[],
  pooling: "mean" | "last",
): tf.Tensor2D {
  expectTokens(texts);
  const length = Math.max(...texts.map((ids) => ids.length));
  // A causal model never looks right, so padding there changes nothing before it.
  const hidden = model.hiddenStates({
    ids: texts.map((ids) => [...ids, ...Array<number>(length - ids.length).fill(0)]),
  });
  const weight = (t: number, count: number): number =>
    pooling === "mean" ? Number(t < count) / count : Number(t === count - 1);
  const weights = texts.map((ids) => Array.from({ length }, (_, t) => weight(t, ids.length)));
  return tf.sum(tf.mul(hidden, tf.expandDims(tf.tensor2d(weights), 2)), 1);
}

function expectTokens(texts: readonly (readonly number[])[]): void {
  const empty = texts.findIndex((ids) => ids.length === 0);
  if (empty >= 0)
    throw new TokenBatchError(`text ${empty}: expected at least one token, found none`);
}
