import type { GenerationResult, TokenEvent } from "@levin/model";
import { ToolCallStream, type AnswerPiece } from "@levin/tokenizer";
import type { Delta } from "../answers/answer-source.ts";
import { newId } from "../chats/new-id.ts";

/** The tokens of a model in this tab as pieces of an answer; with tools, its calls are looked for. */
export async function* answerDeltas(
  events: AsyncGenerator<TokenEvent, GenerationResult>,
  hasTools: boolean,
): AsyncGenerator<Delta> {
  const calls = hasTools ? new ToolCallStream() : undefined;
  for (;;) {
    const next = await events.next();
    if (next.done) {
      yield* (calls?.end() ?? []).map(toDelta);
      yield { usage: next.value.usage };
      return;
    }
    const { part, text } = next.value;
    if (part === "mark" || text === "") continue;
    if (part === "thought") yield { thought: text };
    else if (calls) yield* calls.push(text).map(toDelta);
    else yield { answer: text };
  }
}

function toDelta(piece: AnswerPiece): Delta {
  if ("content" in piece) return { answer: piece.content };
  const { call: index } = piece;
  const more = "name" in piece ? { id: newId(), name: piece.name } : { arguments: piece.arguments };
  return { toolCalls: [{ index, ...more }] };
}
