import type { Tokenizer } from "@levin/tokenizer";
import { contextExceeded } from "../generation-settings.ts";
import type { ServedModel } from "../served-model.ts";
import { ApiError } from "./api-error.ts";

/**
 * Refuses text that cannot fit the context whatever its tokens, before time is spent on it.
 * @throws ApiError (400, `context_length_exceeded`)
 */
export function checkTextLength(
  texts: readonly string[],
  param: string,
  { model, tokenizer }: ServedModel,
): void {
  const limit = model.config.maxPositionEmbeddings;
  // A character has at least one byte, so this many characters need more tokens than there is room.
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  if (length > limit * longestToken(tokenizer)) {
    throw contextExceeded(limit, `${length} characters`, param);
  }
}

/**
 * Refuses prompts whose encoding ended because they had too many tokens.
 * @throws ApiError (400, `context_length_exceeded`)
 */
export function checkEncoded(
  ids: readonly number[],
  maxTokens: number,
  param: string,
  { model }: Pick<ServedModel, "model">,
): void {
  if (ids.length <= maxTokens) return;
  const { maxPositionEmbeddings: limit } = model.config;
  throw contextExceeded(limit, `more than ${maxTokens} tokens`, param);
}

/** @throws ApiError (400, `context_length_exceeded`) for prompts above the server's own limit */
export function checkPromptTokens(
  ids: readonly number[],
  param: string,
  { maxPromptTokens = Infinity }: ServedModel,
): void {
  if (ids.length <= maxPromptTokens) return;
  const message = `this server takes prompts of up to ${maxPromptTokens} tokens, found ${ids.length}`;
  throw new ApiError(400, message, { param, code: "context_length_exceeded" });
}

const longest = new WeakMap<Tokenizer, number>();

/** Bytes of a tokenizer's longest token. */
function longestToken(tokenizer: Tokenizer): number {
  const known = longest.get(tokenizer);
  if (known !== undefined) return known;
  let bytes = 1;
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const exists = tokenizer.idToToken(id) !== undefined;
    if (exists) bytes = Math.max(bytes, tokenizer.tokenBytes(id).length);
  }
  longest.set(tokenizer, bytes);
  return bytes;
}
