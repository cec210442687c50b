import type { AnswerPart } from "./answer-parts.ts";
import type { AnswerStep } from "./answers.ts";
import type { ChatRequest } from "./completion-requests.ts";
import { ending, replyHead, usageOf, type AnswerEnd } from "./reply-forms.ts";
import type { ChatChunk, ChatCompletion } from "./reply-schemas.ts";
import { wholeAnswers, type WholeAnswer } from "./whole-answers.ts";

/** What a reply depends on. */
type ReplyRequest = Pick<ChatRequest, "model" | "n" | "logprobs" | "stream_options">;

/** A whole reply of chat completions. */
export async function chatCompletion(
  request: ReplyRequest,
  steps: AsyncIterable<AnswerStep>,
): Promise<ChatCompletion> {
  const head = replyHead("chatcmpl", "chat.completion", request.model);
  const answers = await wholeAnswers(steps);
  const choices = answers.map((answer, index) => ({
    index,
    message: message(answer),
    logprobs: request.logprobs ? { content: answer.logprobs, refusal: null } : null,
    ...chatEnding(answer.result, answer.toolCalls.length > 0),
  }));
  return { ...head, choices, usage: usageOf([answers.map(({ result }) => result)]) };
}

type Message = ChatCompletion["choices"][number]["message"];

function message({ content, reasoning, toolCalls }: WholeAnswer): Message {
  return {
    role: "assistant",
    content: toolCalls.length > 0 && content === "" ? null : content,
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    ...(toolCalls.length > 0 && {
      tool_calls: toolCalls.map(({ id, ...call }) => ({
        id,
        type: "function" as const,
        function: call,
      })),
    }),
    refusal: null,
  };
}

/** The chunks of a streamed reply. */
export async function* chatChunks(
  request: ReplyRequest,
  steps: AsyncIterable<AnswerStep>,
): AsyncGenerator<ChatChunk> {
  const head = replyHead("chatcmpl", "chat.completion.chunk", request.model);
  const withUsage = request.stream_options?.include_usage === true;
  type Choice = ChatChunk["choices"][number];
  const chunk = (choice: Pick<Choice, "index" | "delta"> & Partial<Choice>): ChatChunk => ({
    ...head,
    choices: [{ logprobs: null, finish_reason: null, ...choice }],
    ...(withUsage && { usage: null }),
  });
  const results: AnswerEnd[] = [];
  const callers = new Set<number>();
  for (let index = 0; index < (request.n ?? 1); index++) {
    yield chunk({ index, delta: { role: "assistant", content: "" } });
  }
  for await (const step of steps) {
    const { choice: index } = step;
    if (step.result !== undefined) {
      results.push(step.result);
      yield chunk({ index, delta: {}, ...chatEnding(step.result, callers.has(index)) });
      continue;
    }
    const { logprobs, toolCall, promptProgress } = step.part;
    if (promptProgress) {
      yield { ...chunk({ index, delta: {} }), prompt_progress: promptProgress };
      continue;
    }
    if (toolCall) callers.add(index);
    const list = logprobs && { logprobs: { content: logprobs, refusal: null } };
    yield chunk({ index, delta: delta(step.part), ...list });
  }
  if (withUsage) yield { ...head, choices: [], usage: usageOf([results]) };
}

function delta({
  reasoning,
  content,
  toolCall,
}: AnswerPart): ChatChunk["choices"][number]["delta"] {
  if (reasoning !== undefined) return { reasoning_content: reasoning };
  if (!toolCall) return { content };
  const { index, begin, arguments: json } = toolCall;
  const call = begin
    ? {
        index,
        id: begin.id,
        type: "function" as const,
        function: { name: begin.name, arguments: json },
      }
    : { index, function: { arguments: json } };
  return { tool_calls: [call] };
}

/** An answer that was cut has no whole call to carry out. */
function chatEnding(result: AnswerEnd, hasCalls: boolean) {
  const end = ending(result);
  const isCall = hasCalls && end.finish_reason === "stop";
  return isCall ? { ...end, finish_reason: "tool_calls" as const } : end;
}
