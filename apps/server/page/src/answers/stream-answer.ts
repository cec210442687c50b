import type { Answer, ToolCall } from "../chats/conversation.ts";
import type { AnswerSource, ApiMessage, AskOptions, Delta } from "./answer-source.ts";

/** The page is drawn anew after so many milliseconds of tokens, not after each of them. */
const drawEvery = 40;

/** Streams an answer into `update`, and ends by telling how it ended; never throws. */
export async function streamAnswer(
  source: AnswerSource,
  messages: readonly ApiMessage[],
  options: AskOptions,
  update: (change: (answer: Answer) => Partial<Answer>) => void,
): Promise<void> {
  const pending: Delta[] = [];
  const started = performance.now();
  let firstToken: number | undefined;
  let drawn = 0;
  const draw = (end: Partial<Answer> = {}): void => {
    const deltas = pending.splice(0);
    drawn = performance.now();
    const seconds = firstToken === undefined ? 0 : (drawn - firstToken) / 1000;
    const readSeconds = ((firstToken ?? drawn) - started) / 1000;
    update((answer) => {
      const next = deltas.reduce(withDelta, answer);
      return { ...next, cost: { ...next.cost, seconds, readSeconds }, ...end };
    });
  };
  try {
    for await (const delta of source.stream(messages, options)) {
      const isFirst = firstToken === undefined && isToken(delta);
      if (isFirst) firstToken = performance.now();
      pending.push(delta);
      if (isFirst || performance.now() - drawn > drawEvery) draw();
    }
    draw({ state: "done" });
  } catch (error) {
    if (options.signal.aborted) draw({ state: "stopped" });
    else draw({ state: "failed", error: (error as Error).message });
  }
}

function isToken({ thought, answer, toolCalls }: Delta): boolean {
  return Boolean(thought || answer || toolCalls);
}

function withDelta(answer: Answer, delta: Delta): Answer {
  const { usage } = delta;
  const one = isToken(delta) ? 1 : 0;
  const { cost } = answer;
  return {
    ...answer,
    // White space before the answer belongs to the mark that ended the thought.
    text:
      answer.text === "" ? (delta.answer ?? "").trimStart() : answer.text + (delta.answer ?? ""),
    thought: answer.thought + (delta.thought ?? ""),
    toolCalls: (delta.toolCalls ?? []).reduce(withToolCall, answer.toolCalls),
    ...(delta.read && { read: delta.read }),
    cost: {
      ...cost,
      promptTokens: usage?.promptTokens ?? cost.promptTokens,
      cachedTokens: usage?.cachedTokens ?? cost.cachedTokens,
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
