import { z } from "zod";
import type { Caller } from "../security/caller.ts";

/** Tokens as completions and embeddings tell them, and as responses do. */
const usageSchema = z.union([
  z
    .object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0).default(0) })
    .transform(({ prompt_tokens: prompt, completion_tokens: answer }) => ({ prompt, answer })),
  z
    .object({ input_tokens: z.int().min(0), output_tokens: z.int().min(0) })
    .transform(({ input_tokens: prompt, output_tokens: answer }) => ({ prompt, answer })),
]);

const replySchema = z.union([
  z.object({ usage: usageSchema }),
  // The last event of a streamed response holds the whole of it.
  z.object({ response: z.object({ usage: usageSchema }) }).transform(({ response }) => response),
]);

/** Counts for a caller what an engine says that a reply cost. */
export function countUsage(caller: Caller | undefined, body: Buffer): void {
  const usage = caller && usageOf(body.toString());
  if (usage) caller.charge(usage.prompt, usage.answer);
}

/**
 * The same events, counted for a caller when they end, also early. Where the engine tells no usage,
 * as it does without `stream_options.include_usage`, each event counts as a token of the answer.
 */
export async function* countedEvents(
  caller: Caller | undefined,
  events: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  let told: { prompt: number; answer: number } | undefined;
  let count = 0;
  try {
    for await (const bytes of events) {
      for (const data of caller ? dataOf(bytes) : []) {
        count += 1;
        if (data.includes(`"usage"`)) told = usageOf(data) ?? told;
      }
      yield bytes;
    }
  } finally {
    caller?.charge(told?.prompt ?? 0, told?.answer ?? count);
  }
}

/** The JSON of each event. */
function dataOf(bytes: Buffer): string[] {
  return [...bytes.toString().matchAll(/^data: *(\{.*)$/gm)].map(([, data]) => data!);
}

function usageOf(json: string) {
  try {
    return replySchema.safeParse(JSON.parse(json)).data?.usage;
  } catch {
    return undefined;
  }
}
