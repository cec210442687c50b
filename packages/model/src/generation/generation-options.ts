import * as z from "zod";
import { constraintSchema } from "../constraints/constraint.ts";
import type { PrefixCache } from "./prefix-cache.ts";

const probability = z.number().gt(0).max(1);
const count = z.number().int().nonnegative();

const optionsSchema = z.strictObject({
  /** New tokens at most, thought included; default 1024. 0 reads the prompt up to its last token. */
  maxNewTokens: count.default(1024),
  /** 0 is greedy; default 0. */
  temperature: z.number().min(0).default(0),
  topK: count.optional(),
  topP: probability.optional(),
  /** 0 is off, as for `topK`. */
  minP: z.number().min(0).max(1).optional(),
  repetitionPenalty: z.number().positive().optional(),
  /** Taken from the logits of tokens that were generated before: once, and for each time. */
  presencePenalty: z.number().optional(),
  frequencyPenalty: z.number().optional(),
  /** Added to the logits of tokens, by id. */
  logitBias: z.record(z.string().regex(/^\d+$/), z.number()).optional(),
  /** Same seed, same text. Default: a random one; a session goes on with the one it has. */
  seed: z.number().int().optional(),
  /** Texts that end the answer; they are not part of it. */
  stop: z.array(z.string().min(1)).default([]),
  /** Report the log-probability of each token and of this many likeliest ones. */
  logprobs: count.max(20).optional(),
  /** Tokens of thought at most; then the thought is closed. Default: no limit. */
  thinkingBudget: count.optional(),
  /** What closes a thought that used its budget up. */
  thoughtClosing: z.string().min(1).default("\n</think>\n\n"),
  /** Stops when this many tokens in a row had more than this probability (paper section 4.1). */
  truncateRepetition: z
    .strictObject({ window: count.min(1), probability: probability })
    .default({ window: 3000, probability: 0.99 }),
  /** What the answer, after the thought, must be. */
  constraint: constraintSchema.optional(),
  /** Keeps the state after the answer in `prefixes` too, for a next turn that begins with all of it. */
  keepAnswer: z.boolean().default(false),
  /** States that are kept in `prefixes` under a salt are found under it alone, beside those without. */
  prefixSalt: z.string().optional(),
  /** Prompt tokens fed at once; default 512. */
  prefillChunk: count.min(1).default(512),
});

const batchOptionsSchema = z.strictObject({
  /** Sequences that run at once; others wait. Default 8. */
  maxRows: count.min(1).default(8),
  /** Prompt tokens, in whole chunks, that are read between two steps; default 512. */
  prefillTokens: count.min(1).default(512),
  /** Tokens that a sequence runs ahead of its reader; default 16. */
  readAhead: count.min(1).default(16),
});

/** How a batch is run. */
export type BatchOptions = z.input<typeof batchOptionsSchema>;

/** How much of a prompt has been read; all in tokens. */
export interface PrefillProgress {
  total: number;
  /** Of the total, those whose state was known. */
  cached: number;
  /** Read so far, `cached` included. */
  processed: number;
}

/** What to generate and how. */
export type GenerationOptions = z.input<typeof optionsSchema> & {
  signal?: AbortSignal | undefined;
  /** Called before the prompt is read and after each chunk of it. */
  onPrefill?: ((progress: PrefillProgress) => void) | undefined;
  /** Where `generate` looks for the beginning of its prompt, and keeps its state for later ones. */
  prefixes?: PrefixCache | undefined;
};

export type CheckedOptions = z.output<typeof optionsSchema> &
  Pick<GenerationOptions, "signal" | "onPrefill" | "prefixes">;

/** Raised for options outside their range. */
export class GenerationOptionsError extends Error {
  override readonly name = "GenerationOptionsError";
}

/** Fills in defaults; throws GenerationOptionsError naming each wrong option. */
export function checkOptions({
  signal,
  onPrefill,
  prefixes,
  ...options
}: GenerationOptions): CheckedOptions {
  return { ...parseOptions(optionsSchema, options), signal, onPrefill, prefixes };
}

/** Fills in defaults; throws GenerationOptionsError naming each wrong option. */
export function checkBatchOptions(options: BatchOptions): z.output<typeof batchOptionsSchema> {
  return parseOptions(batchOptionsSchema, options);
}

function parseOptions<Output>(schema: z.ZodType<Output>, options: unknown): Output {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => {
    const found = path.reduce<unknown>(
      (at, key) => (at as Record<PropertyKey, unknown>)?.[key],
      options,
    );
    return path.length === 0 ? message : `${path.join(".")}: ${message}, found ${String(found)}`;
  });
  throw new GenerationOptionsError(problems.join("; "));
}
