import { randomUUID } from "node:crypto";
import { createParser } from "eventsource-parser";
import type { AnswerPart, ToolCallPart } from "../api/answer-parts.ts";
import { ApiError } from "../api/api-error.ts";
import type { AnswerEnd } from "../api/reply-forms.ts";
import type { Caller } from "../security/caller.ts";
import { chatChunk, type ChatChunk, type ChatPiece, type ChatUsage } from "./chat-chunks.ts";
import { countedEvents, countUsage } from "./count-usage.ts";
import type { UpstreamReply } from "./upstream-reply.ts";
import { wholeEvents } from "./whole-events.ts";

/**
 * The answer in an engine's chat completion, whole or streamed, counted for a caller.
 * @throws ApiError (502) where it is none, or breaks off
 */
export async function* engineAnswer(
  { body }: UpstreamReply,
  caller: Caller | undefined,
): AsyncGenerator<AnswerPart, AnswerEnd> {
  const answer = new EngineAnswer();
  if (Buffer.isBuffer(body)) {
    countUsage(caller, body);
    yield* answer.read(body.toString());
  } else {
    for await (const data of eventData(countedEvents(caller, wholeEvents(body))))
      yield* answer.read(data);
  }
  return answer.end();
}

/** The data of server-sent events. */
async function* eventData(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const ready: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => ready.push(data) });
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* ready.splice(0).filter((data) => data !== "[DONE]");
  }
}

/** Puts together what an engine says in one piece or many. */
class EngineAnswer {
  /** The call that is open at each of the engine's numbers. */
  readonly #open = new Map<number, { index: number; id: string }>();
  #calls = 0;
  #pieces = 0;
  #usage: ChatUsage | undefined;
  #ending: { reason: string; stop: string | undefined } | undefined;

  *read(json: string): Generator<AnswerPart> {
    const chunk = parsed(json);
    if (chunk.error) throw brokenOff(chunk.error.message ?? "the engine failed");
    if (chunk.prompt_progress) yield { promptProgress: chunk.prompt_progress };
    this.#usage = chunk.usage ?? this.#usage;
    const [choice] = chunk.choices;
    if (!choice) return;
    const piece = choice.delta ?? choice.message;
    const logprobs = choice.logprobs?.content;
    const parts = piece ? this.#parts(piece) : [];
    if (parts.length > 0) this.#pieces += 1;
    if (logprobs) {
      // They are of what is said after a thought.
      const said = parts.find(({ reasoning }) => reasoning === undefined);
      if (said) said.logprobs = logprobs;
      else parts.push({ content: "", logprobs });
    }
    yield* parts;
    const { finish_reason: reason, stop_reason: stop } = choice;
    if (reason != null) this.#ending = { reason, stop: stop == null ? undefined : `${stop}` };
  }

  /** @throws ApiError (502) when the engine did not say that the answer has ended */
  end(): AnswerEnd {
    if (!this.#ending) throw brokenOff("the engine ended before its answer did");
    const { reason, stop } = this.#ending;
    const isWhole = wholeEndings.has(reason);
    const stopString = stop ?? (isWhole || reason === "length" ? undefined : reason);
    const usage = this.#usage;
    return {
      finishReason: isWhole ? "stop" : "length",
      ...(stopString !== undefined && { stopString }),
      usage: {
        promptTokens: usage?.prompt_tokens ?? 0,
        cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? 0,
        completionTokens: usage?.completion_tokens ?? this.#pieces,
        reasoningTokens: usage?.completion_tokens_details?.reasoning_tokens ?? 0,
      },
    };
  }

  #parts(piece: ChatPiece): AnswerPart[] {
    const reasoning = piece.reasoning_content || piece.reasoning;
    const calls = (piece.tool_calls ?? []).map((call, i) => this.#call(call, call.index ?? i));
    return [
      ...(reasoning ? [{ reasoning }] : []),
      ...(piece.content ? [{ content: piece.content }] : []),
      ...calls.map((toolCall) => ({ toolCall })),
    ];
  }

  #call(call: NonNullable<ChatPiece["tool_calls"]>[number], number: number): ToolCallPart {
    const json = call.function?.arguments ?? "";
    const open = this.#open.get(number);
    // Some engines give all of their calls the number 0, some an empty id to what follows.
    const isOpen = open !== undefined && (!call.id || call.id === open.id);
    if (isOpen) return { index: open.index, arguments: json };
    const id = call.id || `call_${randomUUID()}`;
    const index = this.#calls++;
    this.#open.set(number, { index, id });
    return { index, begin: { id, name: call.function?.name ?? "" }, arguments: json };
  }
}

/** Reasons of engines for an answer that is complete. */
const wholeEndings = new Set(["stop", "tool_calls", "function_call"]);

function parsed(json: string): ChatChunk {
  try {
    return chatChunk.parse(JSON.parse(json));
  } catch (error) {
    const apiError = brokenOff("the engine's answer is no chat completion");
    apiError.cause = error;
    throw apiError;
  }
}

function brokenOff(message: string): ApiError {
  return new ApiError(502, message, { code: "upstream_failed" });
}
