import type { GenerationResult, TokenEvent } from "@levin/model";
import { styleText } from "node:util";

/** Writes a stream to standard output as it comes, the thought dimmed. */
export async function printStream(
  stream: AsyncGenerator<TokenEvent, GenerationResult>,
  { quiet = false } = {},
): Promise<GenerationResult> {
  for (;;) {
    const next = await stream.next();
    if (next.done) {
      if (!quiet) process.stdout.write("\n");
      return next.value;
    }
    const { text, part } = next.value;
    if (!quiet) process.stdout.write(part === "thought" ? styleText("dim", text) : text);
    if (!quiet && part === "mark" && !text) process.stdout.write("\n");
  }
}
