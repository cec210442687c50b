import { ContinuousBatch, type GenerationOptions, type GenerationResult } from "@levin/model";
import { encodeChat } from "@levin/tokenizer";
import type { ModelBundle } from "./load-bundle.ts";

/** Rows of one decoding step: what the fused kernels take at once. */
const maxRows = 32;

/** Answers questions as a chat would, those that are asked together in one batch. */
export function batchAnswerer(
  { model, tokenizer, chatTemplate: template }: ModelBundle,
  options: GenerationOptions,
): (question: string) => Promise<GenerationResult> {
  const batch = new ContinuousBatch(model, tokenizer, { maxRows });
  return async (question) => {
    const ids = encodeChat(tokenizer, [{ role: "user", content: question }], { template });
    const stream = batch.add(ids, options);
    for (;;) {
      const next = await stream.next();
      if (next.done) return next.value;
    }
  };
}
