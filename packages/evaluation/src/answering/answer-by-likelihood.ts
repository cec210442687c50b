import { logProbability, softmax, type ModelState, type NextTokenModel } from "@levin/model";
import type { Item } from "../data/item.ts";
import type { BenchmarkTask, SubmittedPrediction } from "../suites/benchmark-task.ts";
import { argmax, chosen, type Answerer } from "./answerer.ts";
import { optionsOf, optionValue, promptOf, shotsText } from "./prompt.ts";

/** Token ids of a text. */
export type Encode = (text: string) => number[];

/**
 * Answers with the option that a model finds likeliest behind the prompt: the sum of its tokens'
 * log probabilities, as Brown et al. (arXiv 2005.14165, section 2.4) do. A score is the mean of the
 * scores that the options stand for, weighted by their probabilities.
 *
 * The model reads the examples once; every item goes on from a copy of the state behind them. A
 * prompt that is longer than the context is cut at its beginning.
 *
 * @param examples of the training set with their answers, before every item; none is zero-shot
 */
export class LikelihoodAnswerer implements Answerer {
  readonly together = 1;
  readonly #model: NextTokenModel;
  readonly #encode: Encode;
  readonly #task: BenchmarkTask;
  readonly #shots: readonly number[];
  #afterShots: ModelState | undefined;

  constructor(
    model: NextTokenModel,
    encode: Encode,
    task: BenchmarkTask,
    { examples = [] }: { examples?: readonly Item[] } = {},
  ) {
    this.#model = model;
    this.#encode = encode;
    this.#task = task;
    this.#shots = encode(shotsText(task, examples));
  }

  async answer(items: readonly Item[]): Promise<SubmittedPrediction[]> {
    const predictions: SubmittedPrediction[] = [];
    for (const item of items) predictions.push(await this.#answerOne(item));
    return predictions;
  }

  /** Log probability of each text behind the prompt, in nats. */
  async logLikelihoods(prompt: string, options: readonly string[]): Promise<number[]> {
    const encoded = options.map((option) => this.#encode(option));
    const longest = Math.max(...encoded.map((ids) => ids.length));
    const { state, logits } = await this.#read(this.#encode(prompt), longest);
    try {
      const sums: number[] = [];
      for (const ids of encoded) sums.push(await this.#sumOf(ids, state, logits));
      return sums;
    } finally {
      state.dispose();
    }
  }

  dispose(): void {
    this.#afterShots?.dispose();
    this.#afterShots = undefined;
  }

  async #answerOne(item: Item): Promise<SubmittedPrediction> {
    const options = optionsOf(this.#task, item);
    const sums = await this.logLikelihoods(promptOf(this.#task, item), options);
    if (this.#task.kind.type !== "score") return chosen(this.#task.kind, item, argmax(sums));
    const weights = softmax(Float32Array.from(sums));
    const value = options.reduce(
      (sum, _, i) => sum + weights[i]! * optionValue(this.#task, i, options.length),
      0,
    );
    return { id: item.id, value };
  }

  /** The state behind examples and prompt, with room for an option. */
  async #read(
    prompt: readonly number[],
    room: number,
  ): Promise<{ state: ModelState; logits: Float32Array }> {
    const limit = this.#model.config.maxPositionEmbeddings - room;
    if (this.#shots.length === 0 || this.#shots.length + prompt.length > limit) {
      const state = this.#model.createState(1);
      return {
        state,
        logits: await this.#advance(state, [...this.#shots, ...prompt].slice(-limit)),
      };
    }
    if (!this.#afterShots) {
      const state = this.#model.createState(1);
      await this.#advance(state, this.#shots);
      this.#afterShots = state;
    }
    const state = this.#afterShots.clone();
    return { state, logits: await this.#advance(state, prompt) };
  }

  async #sumOf(ids: readonly number[], after: ModelState, logits: Float32Array): Promise<number> {
    let sum = logProbability(logits, ids[0]!);
    if (ids.length === 1) return sum;
    const state = after.clone();
    for (let i = 1; i < ids.length; i++) {
      sum += logProbability(await this.#advance(state, [ids[i - 1]!]), ids[i]!);
    }
    state.dispose();
    return sum;
  }

  async #advance(state: ModelState, ids: readonly number[]): Promise<Float32Array> {
    const logits = this.#model.advance(state, { ids: [[...ids]] });
    const values = (await logits.data()) as Float32Array;
    logits.dispose();
    return values;
  }
}
