import { crossEntropy, ignoredLabel } from "@levin/model";
import type { Problem } from "@levin/tasks";
import { encodeChat } from "@levin/tokenizer";
import * as tf from "@tensorflow/tfjs-core";
import type { ModelBundle } from "./load-bundle.ts";
import { replyText } from "./training/task-examples.ts";

/** A problem as it is taught, without its verifier. */
export type WorkedProblem = Pick<Problem, "prompt" | "thinking" | "answer">;

/** How well worked-out replies were predicted: cross entropy in nats over all their tokens. */
export interface EntropyCount {
  nats: number;
  tokens: number;
}

/** How well a model predicts the replies that `levin train` teaches: thought, answer and end. */
export async function replyEntropy(
  bundle: ModelBundle,
  problems: readonly WorkedProblem[],
): Promise<EntropyCount> {
  const counts: EntropyCount[] = [];
  for (const problem of problems) counts.push(await entropyOf(bundle, problem));
  return sumOf(counts);
}

/** All counts together. */
export function sumOf(counts: readonly EntropyCount[]): EntropyCount {
  const sum = { nats: 0, tokens: 0 };
  for (const { nats, tokens } of counts) {
    sum.nats += nats;
    sum.tokens += tokens;
  }
  return sum;
}

/** Mean cross entropy in nats and perplexity of a reply's token. */
export function entropySummary(counts: readonly EntropyCount[]): {
  replyTokens: number;
  crossEntropy: number;
  perplexity: number;
} {
  const { nats, tokens } = sumOf(counts);
  const mean = nats / Math.max(1, tokens);
  return { replyTokens: tokens, crossEntropy: mean, perplexity: Math.exp(mean) };
}

async function entropyOf(
  { model, tokenizer, chatTemplate: template }: ModelBundle,
  { prompt, thinking, answer }: WorkedProblem,
): Promise<EntropyCount> {
  const head = encodeChat(tokenizer, [{ role: "user", content: prompt }], { template });
  const reply = tokenizer.encode(`${replyText(thinking, answer)}<end_of_sentence>`);
  const labels = [[...head.map(() => ignoredLabel), ...reply]];
  const mean = tf.tidy(() => crossEntropy(allLogits(model, [...head, ...reply]), labels));
  const [nats] = await mean.data();
  mean.dispose();
  return { nats: nats! * reply.length, tokens: reply.length };
}

/** Logits of every position, `[1, length, vocab]`. */
function allLogits(model: ModelBundle["model"], ids: readonly number[]): tf.Tensor3D {
  if ("forward" in model) return model.forward({ ids: [ids] }).logits;
  const state = model.createState(1);
  const logits = ids.map((id) => model.advance(state, { ids: [[id]] }));
  state.dispose();
  return tf.stack(logits, 1) as tf.Tensor3D;
}
