import type { GenerationResult, TokenEvent } from "@levin/model";
import type { Tokenizer } from "@levin/tokenizer";
import { streamSteps } from "./stream-steps.ts";
import { chatLogprob, type ChatTokenLogprob } from "./token-logprobs.ts";

/** A piece of an answer: of the thought, or of the text after it. */
export interface AnswerPart {
  reasoning?: string;
  content?: string;
  logprobs?: ChatTokenLogprob[];
}

/**
 * Splits a stream of tokens into thought and answer. White space around the thought belongs to its
 * marks, so it is left out; log-probabilities are those of the answer's tokens.
 */
export async function* answerParts(
  events: AsyncGenerator<TokenEvent, GenerationResult>,
  tokenizer: Tokenizer,
): AsyncGenerator<AnswerPart, GenerationResult> {
  const thought = new TrimmedText();
  let answered = false;
  for await (const step of streamSteps(events)) {
    if (step.result !== undefined) return step.result;
    const event = step.item;
    if (event.part === "thought") {
      const reasoning = thought.push(event.text);
      if (reasoning !== "") yield { reasoning };
      continue;
    }
    answered ||= event.text !== "";
    const logprob = event.part === "answer" && answered ? chatLogprob(event, tokenizer) : undefined;
    if (event.text === "" && !logprob) continue;
    yield { content: event.text, ...(logprob && { logprobs: [logprob] }) };
  }
  throw new Error("expected a result at the end of the tokens, found none");
}

/** Leaves out white space at the start, and holds it back elsewhere until more text follows. */
class TrimmedText {
  #held = "";
  #started = false;

  push(piece: string): string {
    const text = this.#started ? this.#held + piece : piece.trimStart();
    if (text === "") return "";
    this.#started = true;
    const end = text.trimEnd().length;
    this.#held = text.slice(end);
    return text.slice(0, end);
  }
}
