import type { Answer, ToolCall } from "../chats/conversation.ts";
import type { AnswerSource, ApiMessage, AskOptions, Delta } from "./answer-source.ts";

/** Tokens are drawn together, so many milliseconds after the first of them. */
const drawAfter = 40;

/**
 * Streams an answer: `update` gets it as it grows.
 * @param empty what it grows from
 * @returns the answer, which tells how it ended; never throws
 */
export async function streamAnswer(
  source: AnswerSource,
  messages: readonly ApiMessage[],
  options: AskOptions,
  empty: Answer,
  update: (answer: Answer) => void,
): Promise<Answer> {
  const started = performance.now();
  let answer = empty;
  let firstToken: number | undefined;
  let drawing: ReturnType<typeof setTimeout> | undefined;
  const timed = (): Answer => {
    const now = performance.now();
    const seconds = firstToken === undefined ? 0 : (now - firstToken) / 1000;
    const readSeconds = ((firstToken ?? now) - started) / 1000;
    return { ...answer, cost: { ...answer.cost, seconds, readSeconds } };
  };
  const draw = (): void => {
    drawing = undefined;
    update(timed());
  };
  try {
    for await (const delta of source.stream(messages, options)) {
      const isFirst = firstToken === undefined && isToken(delta);
      if (isFirst) firstToken = performance.now();
      answer = withDelta(answer, delta);
      if (isFirst) update(timed());
      else drawing ??= setTimeout(draw, drawAfter);
    }
    return { ...timed(), state: "done" };
  } catch (error) {
    if (options.signal.aborted) return { ...timed(), state: "stopped" };
    return { ...timed(), state: "failed", error: (error as Error).message };
  } finally {
    clearTimeout(drawing);
  }
}

function isToken({ thought, answer, toolCalls }: Delta): boolean {
  return Boolean(thought || answer || toolCalls);
}

function withDelta(answer: Answer, delta: Delta): Answer {
  const { usage, read } = delta;
  const one = isToken(delta) ? 1 : 0;
  const { cost } = answer;
  return {
    ...answer,
    // White space before the answer belongs to the mark that ended the thought.
    text:
      answer.text === "" ? (delta.answer ?? "").trimStart() : answer.text + (delta.answer ?? ""),
    thought: answer.thought + (delta.thought ?? ""),
    toolCalls: (delta.toolCalls ?? []).reduce(withToolCall, answer.toolCalls),
    ...(read && { read }),
    cost: {
      ...cost,
      promptTokens: usage?.promptTokens ?? read?.total ?? cost.promptTokens,
      cachedTokens: usage?.cachedTokens ?? read?.cached ?? cost.cachedTokens,
      tokens: usage?.completionTokens ?? cost.tokens + one,
      thoughtTokens: usage?.reasoningTokens ?? cost.thoughtTokens + (delta.thought ? 1 : 0),
    },
  };
}

function withToolCall(
  calls: readonly ToolCall[],
  { index, id, name, arguments: more }: { index: number } & Partial<ToolCall>,
): ToolCall[] {
  const before = calls[index];
  const call = {
    id: id ?? before?.id ?? `call-${index}`,
    name: name ?? before?.name ?? "",
    arguments: (before?.arguments ?? "") + (more ?? ""),
  };
  return [...calls.slice(0, index), call, ...calls.slice(index + 1)];
}
