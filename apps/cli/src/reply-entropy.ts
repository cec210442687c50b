import { crossEntropy, ignoredLabel } from "@levin/model";
import type { Problem } from "@levin/tasks";
import { encodeChat } from "@levin/tokenizer";
import * as tf from "@tensorflow/tfjs-core";
import type { ModelBundle } from "./load-bundle.ts";
import { replyText } from "./training/task-examples.ts";

/** How well a model predicts the worked-out replies of problems, token by token. */
export class ReplyEntropy {
  readonly #bundle: ModelBundle;
  #nats = 0;
  #tokens = 0;

  constructor(bundle: ModelBundle) {
    this.#bundle = bundle;
  }

  /** Counts the reply that `levin train` teaches for a problem: thought, answer and end. */
  async add({ prompt, thinking, answer }: Problem): Promise<void> {
    const { model, tokenizer, chatTemplate: template } = this.#bundle;
    const head = encodeChat(tokenizer, [{ role: "user", content: prompt }], { template });
    const reply = tokenizer.encode(`${replyText(thinking, answer)}<end_of_sentence>`);
    const labels = [[...head.map(() => ignoredLabel), ...reply]];
    const mean = tf.tidy(() => {
      return crossEntropy(allLogits(model, [...head, ...reply]), labels);
    });
    // Read before it is added: others may be added meanwhile.
    const [nats] = await mean.data();
    this.#nats += nats! * reply.length;
    mean.dispose();
    this.#tokens += reply.length;
  }

  /** Adds what another has counted. */
  merge(other: ReplyEntropy): void {
    this.#nats += other.#nats;
    this.#tokens += other.#tokens;
  }

  /** Mean cross entropy in nats and perplexity of a reply's token. */
  summary(): { replyTokens: number; crossEntropy: number; perplexity: number } {
    const mean = this.#nats / Math.max(1, this.#tokens);
    return { replyTokens: this.#tokens, crossEntropy: mean, perplexity: Math.exp(mean) };
  }
}

/** Logits of every position, `[1, length, vocab]`. */
function allLogits(model: ModelBundle["model"], ids: readonly number[]): tf.Tensor3D {
  if ("forward" in model) return model.forward({ ids: [ids] }).logits;
  const state = model.createState(1);
  const logits = ids.map((id) => model.advance(state, { ids: [[id]] }));
  state.dispose();
  return tf.stack(logits, 1) as tf.Tensor3D;
}
