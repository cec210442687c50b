import type { CausalLanguageModel } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import { argmax, chosen, type Answerer } from "../answering/answerer.ts";
import type { Encode } from "../answering/answer-by-likelihood.ts";
import { headTexts } from "../answering/prompt.ts";
import type { Item } from "../data/item.ts";
import type { BenchmarkTask, SubmittedPrediction } from "../suites/benchmark-task.ts";
import type { AnswerHead } from "./answer-head.ts";
import type { HeadExample } from "./head-objective.ts";

/**
 * Items as a head reads them. A text that is too long is cut at its beginning; an empty one is read as
 * the end of a line, since there must be a token.
 *
 * @param maxTokens of a text
 */
export function headExamples(
  task: BenchmarkTask,
  items: readonly Item[],
  { encode, maxTokens }: { encode: Encode; maxTokens: number },
): HeadExample[] {
  return items.map((item) => ({
    texts: headTexts(task, item).map((text) => encode(text || "\n").slice(-maxTokens)),
    label: item.label ?? 0,
  }));
}

/**
 * Answers by a fine-tuned head: the class or choice of the highest output, or the score.
 */
export function headAnswerer(
  model: CausalLanguageModel,
  head: AnswerHead,
  task: BenchmarkTask,
  options: {
    encode: Encode;
    maxTokens: number;
    /** Items that are computed at once, default 16. */
    together?: number;
  },
): Answerer {
  return {
    together: options.together ?? 16,
    answer: async (items) => {
      const examples = headExamples(task, items, options);
      const outputs = tf.tidy(() =>
        head.outputs(
          model,
          examples.flatMap(({ texts }) => texts),
        ),
      );
      const rows = (await outputs.array()) as number[][];
      outputs.dispose();
      return items.map((item, i) => {
        const own = rows.splice(0, examples[i]!.texts.length);
        return predictionOf(task, item, task.kind.type === "choice" ? own.flat() : own[0]!);
      });
    },
    dispose: () => undefined,
  };
}

function predictionOf(
  { kind }: BenchmarkTask,
  item: Item,
  outputs: readonly number[],
): SubmittedPrediction {
  if (kind.type !== "score") return chosen(kind, item, argmax(outputs));
  const value = kind.lowest + outputs[0]! * (kind.highest - kind.lowest);
  return { id: item.id, value: Math.min(kind.highest, Math.max(kind.lowest, value)) };
}
