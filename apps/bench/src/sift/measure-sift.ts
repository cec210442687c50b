import { embed, generateBatch, type CausalLanguageModel } from "@levin/model";
import { createRandom, type Random } from "@levin/tasks";
import {
  batchExamples,
  embedPool,
  selectBySift,
  selectNearest,
  trainableModel,
  tuneOnExamples,
  type EmbeddedPool,
} from "@levin/training";
import * as tf from "@tensorflow/tfjs-core";
import type { Reasoner } from "../thinking/reasoner.ts";
import type { Exercise } from "./sift-problems.ts";

/** Ways to choose the examples of a prompt. */
export const ways = ["none", "random", "nearest", "SIFT"] as const;
export type Way = (typeof ways)[number];

export interface SiftMeasurementOptions {
  /** Examples for each prompt. */
  steps: number;
  rank: number;
  learningRate: number;
  lambda: number;
  /** Tokens of an answer at most. */
  maxTokens: number;
  seed: number;
}

/** One prompt, answered after one way of choosing. */
export interface SiftResult {
  /** Bits per token of the right thought and answer. */
  bits: number;
  correct: boolean;
  /** Different examples among those chosen. */
  distinct: number;
  /** Share of them from the prompt's own task. */
  sameTask: number;
  /** Seconds of choosing and tuning. */
  seconds: number;
}

/** Each prompt after each way of choosing, starting from the same model every time. */
export async function measureSift(
  reasoner: Reasoner,
  pool: readonly Exercise[],
  prompts: readonly Exercise[],
  options: SiftMeasurementOptions,
): Promise<Record<Way, SiftResult>[]> {
  const { model } = reasoner;
  const embedded = await embedPool(
    model,
    pool.map(({ example }) => example),
  );
  const random = createRandom(options.seed);
  const results: Record<Way, SiftResult>[] = [];
  for (const exercise of prompts) {
    const result = {} as Record<Way, SiftResult>;
    for (const way of ways) {
      const started = performance.now();
      const picks = await choose(way, model, exercise, embedded, { ...options, random });
      const chosen = picks.map((pick) => pool[pick]!);
      const tuned = await tuneOnExamples(
        model,
        chosen.map(({ example }) => example),
        options,
      );
      const seconds = (performance.now() - started) / 1000;
      const { task } = exercise.problem;
      result[way] = {
        bits: bitsPerToken(tuned.model, exercise),
        correct: await answers(reasoner, tuned.model, exercise, options.maxTokens),
        distinct: new Set(chosen.map(({ problem }) => problem.prompt)).size,
        sameTask:
          chosen.filter(({ problem }) => problem.task === task).length / Math.max(1, chosen.length),
        seconds,
      };
      tuned.drop();
    }
    results.push(result);
  }
  return results;
}

async function choose(
  way: Way,
  model: CausalLanguageModel,
  { prompt }: Exercise,
  { embeddings }: EmbeddedPool,
  { steps, lambda, random }: { steps: number; lambda: number; random: Random },
): Promise<number[]> {
  if (way === "none") return [];
  if (way === "random") return random.sample([...embeddings.keys()], steps);
  const [query] = await embed(model, [prompt]);
  return way === "nearest"
    ? selectNearest(query!, embeddings, steps)
    : selectBySift(query!, embeddings, { count: steps, lambda }).picks;
}

function bitsPerToken(model: CausalLanguageModel, { example }: Exercise): number {
  const [batch] = batchExamples([example], example.ids.length);
  return tf.tidy(() => trainableModel(model).losses(batch!).crossEntropy.dataSync()[0]! / Math.LN2);
}

async function answers(
  { tokenizer }: Reasoner,
  model: CausalLanguageModel,
  { prompt, problem }: Exercise,
  maxNewTokens: number,
): Promise<boolean> {
  const [result] = await generateBatch(model, tokenizer, [prompt], { maxNewTokens });
  return problem.verify(result!.text);
}
