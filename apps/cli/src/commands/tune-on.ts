import { CausalLanguageModel } from "@levin/model";
import { encodeConversation } from "@levin/tokenizer";
import { embedPool, tuneForPrompt, type Example } from "@levin/training";
import { readChatDataset } from "@levin/training/node";
import type { Command } from "commander";
import type { ModelBundle } from "../load-bundle.ts";
import { toNumber } from "./generation-flags.ts";

/** Values of the flags that {@link addTuneFlags} adds. */
export interface TuneFlags {
  tuneOn?: string;
  tuneCount: number;
  tuneRate?: number;
}

/** Raised for a model that can't be tuned. */
class TuningError extends Error {
  override readonly name = "TuningError";
}

/** Flags of test-time fine-tuning. */
export function addTuneFlags(command: Command): Command {
  return command
    .option("--tune-on <file>", "JSONL of conversations; tunes on those that tell most (SIFT)")
    .option("--tune-count <n>", "conversations to tune on, a step for each", toNumber, 16)
    .option("--tune-rate <x>", "learning rate of each step", toNumber);
}

/**
 * The model to answer a prompt with: tuned on the conversations of a file that tell most about it, for
 * this answer only, or as it is without `--tune-on`.
 *
 * @throws ChatDatasetError, TuningError, SelectionError
 */
export async function modelForPrompt(
  { model, tokenizer, chatTemplate: template }: ModelBundle,
  prompt: readonly number[],
  { tuneOn, tuneCount: count, tuneRate: learningRate }: TuneFlags,
): Promise<ModelBundle["model"]> {
  if (tuneOn === undefined) return model;
  if (!(model instanceof CausalLanguageModel)) {
    throw new TuningError("--tune-on: expected a model in one memory, found one in stages");
  }
  const examples: Example[] = [];
  for await (const { messages, tools } of readChatDataset(tuneOn)) {
    const options = { template, ...(tools && { tools }) };
    examples.push(encodeConversation(tokenizer, messages, options));
  }
  const pool = await embedPool(model, examples);
  const options = { count, ...(learningRate !== undefined && { learningRate }) };
  const tuned = await tuneForPrompt(model, prompt, pool, options);
  const different = new Set(tuned.picks).size;
  const left = (100 * tuned.uncertainties.at(-1)!).toFixed(0);
  console.error(
    `tuned on ${different} of ${examples.length} conversations in ${tuned.losses.length} steps; uncertainty ${left} %`,
  );
  return tuned.model;
}
