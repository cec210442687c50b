import { randomUUID } from "node:crypto";
import type { GenerationResult, TokenEvent } from "@levin/model";
import { ToolCallStream, type AnswerPiece, type Tokenizer } from "@levin/tokenizer";
import type { ChatTokenLogprob, PromptProgress } from "./reply-schemas.ts";
import { streamSteps } from "./stream-steps.ts";
import { chatLogprob } from "./token-logprobs.ts";

/** A piece of an answer: of the thought, of the text after it, or of a call of a function. */
export interface AnswerPart {
  reasoning?: string;
  content?: string;
  toolCall?: ToolCallPart;
  logprobs?: ChatTokenLogprob[];
  /** Comes alone, before the others, if it was asked for. */
  promptProgress?: PromptProgress;
}

/** A call that begins, or more of its arguments. */
export interface ToolCallPart {
  /** Counts the calls of an answer from 0. */
  index: number;
  /** Of a call that begins. */
  begin?: { id: string; name: string };
  /** JSON text. */
  arguments: string;
}

/**
 * Splits a stream of tokens into thought, answer and calls. White space around the thought belongs
 * to its marks, so it is left out; log-probabilities are those of the answer's tokens.
 *
 * @param options.tools whether calls are looked for; else they are text
 */
export async function* answerParts(
  events: AsyncGenerator<TokenEvent, GenerationResult>,
  tokenizer: Tokenizer,
  { tools }: { tools: boolean },
): AsyncGenerator<AnswerPart, GenerationResult> {
  const thought = new TrimmedText();
  const calls = tools ? new ToolCallStream() : undefined;
  let answered = false;
  for await (const step of streamSteps(events)) {
    if (step.result !== undefined) {
      for (const piece of calls?.end() ?? []) yield partOf(piece);
      return step.result;
    }
    const event = step.item;
    if (event.part === "thought") {
      const reasoning = thought.push(event.text);
      if (reasoning !== "") yield { reasoning };
      continue;
    }
    answered ||= event.text !== "";
    const logprob = event.part === "answer" && answered ? chatLogprob(event, tokenizer) : undefined;
    if (event.text === "" && !logprob) continue;
    const parts = calls ? calls.push(event.text).map(partOf) : [{ content: event.text }];
    const [first = { content: "" }, ...rest] = parts;
    if (logprob) yield { ...first, logprobs: [logprob] };
    else if (parts.length > 0) yield first;
    yield* rest;
  }
  throw new Error("expected a result at the end of the tokens, found none");
}

function partOf(piece: AnswerPiece): AnswerPart {
  if ("content" in piece) return { content: piece.content };
  if ("arguments" in piece) {
    return { toolCall: { index: piece.call, arguments: piece.arguments } };
  }
  const begin = { id: `call_${randomUUID()}`, name: piece.name };
  return { toolCall: { index: piece.call, begin, arguments: "" } };
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
