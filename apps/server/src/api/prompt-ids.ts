import type { ServedModel } from "../served-model.ts";
import { ApiError } from "./api-error.ts";
import { checkEncoded, checkPromptTokens, checkTextLength } from "./prompt-length.ts";

/**
 * Token ids of a text, or the ids themselves when all are known.
 *
 * @param options what `Tokenizer.encode` takes; `maxTokens` is the context by default
 * @throws ApiError (400) naming the parameter
 */
export function promptIds(
  prompt: string | number[],
  param: string,
  served: ServedModel,
  {
    maxTokens = served.model.config.maxPositionEmbeddings,
    parseSpecialTokens,
  }: { parseSpecialTokens?: boolean; maxTokens?: number } = {},
): number[] {
  if (typeof prompt === "string") checkTextLength([prompt], param, served);
  const ids =
    typeof prompt === "string"
      ? served.tokenizer.encode(prompt, {
          maxTokens,
          ...(parseSpecialTokens !== undefined && { parseSpecialTokens }),
        })
      : prompt;
  checkEncoded(ids, maxTokens, param, served);
  checkPromptTokens(ids, param, served);
  const { vocabSize } = served.model.config;
  const unknown = ids.find((id) => id >= vocabSize);
  if (unknown === undefined) return ids;
  throw new ApiError(400, `${param}: expected token ids in 0..${vocabSize - 1}, found ${unknown}`, {
    param,
  });
}
