import type { ServedModel } from "../served-model.ts";
import { ApiError } from "./api-error.ts";
import { checkPromptTokens, checkTextLength } from "./prompt-length.ts";

/**
 * Token ids of a text, or the ids themselves when all are known.
 *
 * @param options what `Tokenizer.encode` takes
 * @throws ApiError (400) naming the parameter
 */
export function promptIds(
  prompt: string | number[],
  param: string,
  served: ServedModel,
  options: { parseSpecialTokens?: boolean } = {},
): number[] {
  if (typeof prompt === "string") checkTextLength([prompt], param, served);
  const ids = typeof prompt === "string" ? served.tokenizer.encode(prompt, options) : prompt;
  checkPromptTokens(ids, param, served);
  const { vocabSize } = served.model.config;
  const unknown = ids.find((id) => id >= vocabSize);
  if (unknown === undefined) return ids;
  throw new ApiError(400, `${param}: expected token ids in 0..${vocabSize - 1}, found ${unknown}`, {
    param,
  });
}
