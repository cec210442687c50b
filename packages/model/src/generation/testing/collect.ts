import type { GenerationResult, TokenEvent } from "../generate.ts";

/** All that a stream yields, and what it returns. */
export async function collect(
  stream: AsyncGenerator<TokenEvent, GenerationResult>,
): Promise<{ events: TokenEvent[]; result: GenerationResult }> {
  const events: TokenEvent[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done) return { events, result: next.value };
    events.push(next.value);
  }
}
