import type { GenerationOptions } from "@levin/model";
import { InvalidArgumentError, Option, type Command } from "commander";
import { backendOption } from "./backend-option.ts";

/** Values of the flags that {@link addGenerationFlags} adds. */
export interface GenerationFlags {
  model?: string;
  backend: string;
  stages?: number;
  maxTokens: number;
  temperature: number;
  topK?: number;
  topP?: number;
  minP?: number;
  repetitionPenalty?: number;
  seed?: number;
  stop?: string[];
  thinkingBudget?: number;
  json?: boolean;
}

/** Flags of every command that generates. */
export function addGenerationFlags(command: Command): Command {
  return command
    .option("--model <directory>", "model directory (default: spark)")
    .addOption(backendOption())
    .addOption(stagesOption())
    .option("--max-tokens <n>", "new tokens at most", toNumber, 1024)
    .option("--temperature <t>", "0 is greedy", toNumber, 0)
    .option("--top-k <k>", "keep the k likeliest tokens", toNumber)
    .option("--top-p <p>", "keep the likeliest tokens of this mass", toNumber)
    .option("--min-p <p>", "keep tokens this likely against the likeliest", toNumber)
    .option("--repetition-penalty <x>", "above 1 discourages repetition", toNumber)
    .option("--seed <n>", "same seed, same text", toNumber)
    .option("--stop <text...>", "texts that end the answer")
    .option("--thinking-budget <n>", "tokens of thought at most", toNumber);
}

/** `--stages`, for models beyond one memory. */
function stagesOption(): Option {
  return new Option(
    "--stages <n>",
    "threads with a memory of their own that share the layers (default: as many as the weights need)",
  ).argParser(toNumber);
}

/** The flags as options of `generate`. */
export function generationOptions(flags: GenerationFlags): GenerationOptions {
  const { maxTokens, temperature, topK, topP, minP, repetitionPenalty, seed, stop } = flags;
  return {
    maxNewTokens: maxTokens,
    temperature,
    ...(topK !== undefined && { topK }),
    ...(topP !== undefined && { topP }),
    ...(minP !== undefined && { minP }),
    ...(repetitionPenalty !== undefined && { repetitionPenalty }),
    ...(seed !== undefined && { seed }),
    ...(stop && { stop }),
    ...(flags.thinkingBudget !== undefined && { thinkingBudget: flags.thinkingBudget }),
  };
}

/** Reads a whole number of at least `least`. */
export function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least}, found "${text}"`);
  };
}

/** Reads how many of something there are to be. */
export const toCount = wholeFrom(1);

/** Reads a number; commander shows the error with the flag's name. */
export function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) {
    throw new InvalidArgumentError(`expected a number, found "${text}"`);
  }
  return value;
}

/** Reads a number above 0. */
export function toPositive(text: string): number {
  const value = toNumber(text);
  if (value > 0) return value;
  throw new InvalidArgumentError(`expected a number above 0, found "${text}"`);
}
