import { selectBackend } from "@levin/kernels/node";
import { ContinuousBatch } from "@levin/model";
import { encodeChat } from "@levin/tokenizer";
import { beforeAll, describe, expect, it } from "vitest";
import { answerDeltas } from "../page/src/model/answer-deltas.ts";
import { streamAnswer } from "../page/src/answers/stream-answer.ts";
import type { AnswerSource } from "../page/src/answers/answer-source.ts";
import { newAnswer, type Answer } from "../page/src/chats/conversation.ts";
import { scriptedModel } from "./testing/scripted-model.ts";

const said =
  '<think>\nA tool knows.\n</think>\n\nLet me see.\n<tool_calls>\n{"name": "calculate", "arguments": {"expression": "1 + 2"}}\n{"name": "now", "arguments": {}}\n</tool_calls>';
const tools = [{ type: "function" as const, function: { name: "calculate" } }];

const empty = newAnswer(null, { model: "scripted", budget: null }, "t");

/** A source like the tab's, without its worker. */
function sourceOf(hasTools: boolean): AnswerSource {
  const { model, tokenizer, chatTemplate: template } = scriptedModel(() => said);
  const batch = new ContinuousBatch(model, tokenizer);
  return {
    stream: (messages) =>
      answerDeltas(
        batch.add(encodeChat(tokenizer, messages as never, { template, tools }), {
          maxNewTokens: 500,
        }),
        hasTools,
      ),
    countTokens: () => Promise.resolve(0),
  };
}

describe("an answer on the chat page", () => {
  beforeAll(() => selectBackend("cpu"));

  const answerOf = (hasTools: boolean): Promise<Answer> =>
    streamAnswer(
      sourceOf(hasTools),
      [{ role: "user", content: "1 + 2?" }],
      { model: "", thinkingBudget: null, tools, signal: new AbortController().signal },
      empty,
      () => {},
    );

  it("has the calls of tools of the model in the tab, apart from its text and its thought", async () => {
    const { state, thought, text, toolCalls, cost } = await answerOf(true);
    expect({ state, thought: thought.trim(), text }).toEqual({
      state: "done",
      thought: "A tool knows.",
      text: "Let me see.",
    });
    expect(toolCalls).toMatchObject([
      { name: "calculate", arguments: '{"expression": "1 + 2"}' },
      { name: "now", arguments: "{}" },
    ]);
    expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(2);
    expect(cost.promptTokens).toBeGreaterThan(0);
  });

  it("is text alone where there are no tools", async () => {
    const { text, toolCalls } = await answerOf(false);
    expect(text).toContain("<tool_calls>");
    expect(toolCalls).toEqual([]);
  });

  it("tells what it costs while it is being said, as soon as its prompt is read", async () => {
    const seen: Answer[] = [];
    const source: AnswerSource = {
      async *stream() {
        yield { read: { done: 4, total: 9, cached: 4 } };
        yield { read: { done: 9, total: 9, cached: 4 } };
        yield { thought: "one" };
        yield { answer: "two" };
      },
      countTokens: () => Promise.resolve(0),
    };
    const signal = new AbortController().signal;
    const options = { model: "", thinkingBudget: null, tools, signal };
    await streamAnswer(source, [], options, empty, (answer) => seen.push(answer));
    expect(seen.at(-1)).toMatchObject({
      state: "streaming",
      cost: { promptTokens: 9, cachedTokens: 4, thoughtTokens: 1 },
    });
  });

  it("shows all that was said when the model stands still", async () => {
    const { promise: isSeen, resolve } = Promise.withResolvers<void>();
    const source: AnswerSource = {
      async *stream() {
        for (const answer of ["one", " two", " three"]) yield { answer };
        await isSeen;
      },
      countTokens: () => Promise.resolve(0),
    };
    const signal = new AbortController().signal;
    const options = { model: "", thinkingBudget: null, tools, signal };
    const { state } = await streamAnswer(source, [], options, empty, ({ text }) => {
      if (text === "one two three") resolve();
    });
    expect(state).toBe("done");
  });
});
