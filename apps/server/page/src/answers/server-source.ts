import { EventSourceParserStream } from "eventsource-parser/stream";
import { serverRequest } from "./server-request.ts";
import type { AnswerSource, ApiMessage, AskOptions, Delta } from "./answer-source.ts";

interface Chunk {
  error?: { message: string };
  choices?: {
    delta?: {
      content?: string | null;
      reasoning_content?: string | null;
      /** What newer engines behind the server call it. */
      reasoning?: string | null;
      tool_calls?: {
        index: number;
        id?: string;
        function?: { name?: string; arguments?: string };
      }[];
    };
  }[];
  prompt_progress?: { total: number; cache: number; processed: number };
  usage?: {
    prompt_tokens: number;
    completion_tokens: number;
    prompt_tokens_details?: { cached_tokens: number };
    completion_tokens_details?: { reasoning_tokens: number };
  } | null;
}

/** Answers of the server that this page came from. */
export const serverSource: AnswerSource = { stream: streamChat, countTokens };

async function* streamChat(
  messages: readonly ApiMessage[],
  { model, thinkingBudget, tools, signal }: AskOptions,
): AsyncGenerator<Delta> {
  const response = await post("/v1/chat/completions", signal, {
    model,
    messages,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
    // llama.cpp's; engines that don't know it leave it out.
    return_progress: true,
    ...(thinkingBudget !== null && { thinking_budget: thinkingBudget }),
    ...(tools.length > 0 && { tools }),
  });
  if (!response.ok || !response.body) {
    const body = (await response.json().catch(() => ({}))) as Chunk;
    throw new Error(body.error?.message ?? `the server answered ${response.status}`);
  }
  const events = response.body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
    .pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value.data === "[DONE]") return;
    yield toDelta(JSON.parse(value.data) as Chunk);
  }
}

function post(path: string, signal: AbortSignal, body: object): Promise<Response> {
  return serverRequest(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    signal,
    body: JSON.stringify(body),
  });
}

function toDelta({ error, choices, prompt_progress: progress, usage }: Chunk): Delta {
  if (error) throw new Error(error.message);
  const delta = choices?.[0]?.delta;
  const thought = delta?.reasoning_content || delta?.reasoning;
  return {
    ...(thought && { thought }),
    ...(delta?.content && { answer: delta.content }),
    ...(delta?.tool_calls && {
      toolCalls: delta.tool_calls.map(({ index, id, function: called }) => ({
        index,
        ...(id !== undefined && { id }),
        ...called,
      })),
    }),
    ...(progress && {
      read: { done: progress.processed, total: progress.total, cached: progress.cache },
    }),
    ...(usage && {
      usage: {
        promptTokens: usage.prompt_tokens,
        cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
        completionTokens: usage.completion_tokens,
        reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
      },
    }),
  };
}

async function countTokens(
  text: string,
  model: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const response = await post("/tokenize", signal, { model, content: text });
  if (!response.ok) return undefined;
  const { tokens } = (await response.json()) as { tokens?: unknown[] };
  return tokens?.length;
}
