import { EventSourceParserStream } from "eventsource-parser/stream";

/** One turn of the conversation, as the API takes it. */
export interface ApiMessage {
  role: "user" | "assistant";
  content: string;
}

/** A piece of an answer. */
export interface Delta {
  thought?: string;
  answer?: string;
  usage?: { completionTokens: number; reasoningTokens: number };
  finishReason?: string;
}

interface Chunk {
  error?: { message: string };
  choices?: {
    delta?: { content?: string; reasoning_content?: string };
    finish_reason?: string | null;
  }[];
  usage?: {
    completion_tokens: number;
    completion_tokens_details?: { reasoning_tokens: number };
  } | null;
}

/** Asks the server and yields the answer as it comes; throws an Error with the server's words. */
export async function* streamChat(
  messages: readonly ApiMessage[],
  options: { model: string; thinkingBudget: number | undefined; signal: AbortSignal },
): AsyncGenerator<Delta> {
  const response = await fetch("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    signal: options.signal,
    body: JSON.stringify({
      model: options.model,
      messages,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
      ...(options.thinkingBudget !== undefined && { thinking_budget: options.thinkingBudget }),
    }),
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

function toDelta({ error, choices, usage }: Chunk): Delta {
  if (error) throw new Error(error.message);
  const choice = choices?.[0];
  return {
    ...(choice?.delta?.reasoning_content && { thought: choice.delta.reasoning_content }),
    ...(choice?.delta?.content && { answer: choice.delta.content }),
    ...(choice?.finish_reason && { finishReason: choice.finish_reason }),
    ...(usage && {
      usage: {
        completionTokens: usage.completion_tokens,
        reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
      },
    }),
  };
}
