import type { TokenEvent } from "@levin/model";
import type { Tokenizer } from "@levin/tokenizer";
import type { ChatTokenLogprob, TokenLogprob } from "./reply-schemas.ts";

/** The log-probabilities of an event, if they were asked for. */
export function chatLogprob(event: TokenEvent, tokenizer: Tokenizer): ChatTokenLogprob | undefined {
  if (event.logprob === undefined) return undefined;
  return {
    ...tokenLogprob(event.id, event.logprob, tokenizer),
    top_logprobs: (event.topLogprobs ?? []).map(({ id, logprob }) =>
      tokenLogprob(id, logprob, tokenizer),
    ),
  };
}

function tokenLogprob(id: number, logprob: number, tokenizer: Tokenizer): TokenLogprob {
  const bytes = tokenizer.tokenBytes(id);
  // JSON has no −∞; OpenAI uses −9999 for a token that cannot come.
  return {
    token: new TextDecoder().decode(bytes),
    logprob: Math.max(logprob, -9999),
    bytes: [...bytes],
  };
}
