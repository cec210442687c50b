import type { ServedModel } from "../served-model.ts";
import { ApiError } from "./api-error.ts";
import { checkTextLength } from "./prompt-length.ts";

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
  if (typeof prompt === "string") {
    checkTextLength([prompt], param, served);
    return served.tokenizer.encode(prompt, options);
  }
  const { vocabSize } = served.model.config;
  const unknown = prompt.find((id) => id >= vocabSize);
  if (unknown === undefined) return prompt;
  throw new ApiError(400, `${param}: expected token ids in 0..${vocabSize - 1}, found ${unknown}`, {
    param,
  });
}
