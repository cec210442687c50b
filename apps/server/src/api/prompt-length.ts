import { contextExceeded } from "../generation-settings.ts";
import type { ServedModel } from "../served-model.ts";

/** Characters that one token may stand for; far above any vocabulary's longest common word. */
const longestToken = 128;

/**
 * Refuses text so long that it cannot fit the context, before time is spent on tokenizing it.
 * @throws ApiError (400, `context_length_exceeded`)
 */
export function checkTextLength(
  texts: readonly string[],
  param: string,
  served: ServedModel,
): void {
  const limit = served.model.config.maxPositionEmbeddings;
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  if (length > limit * longestToken) throw contextExceeded(limit, `${length} characters`, param);
}
