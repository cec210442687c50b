import { describe, expect, it } from "vitest";
import { encodeChat } from "./chat-template.ts";
import {
  encodeConversation,
  encodeReply,
  type ConversationMessage,
} from "./encode-conversation.ts";
import { m1ChatTemplate as template, m1SpecialTokens } from "./m1-chat-template.ts";
import { Tokenizer } from "./tokenizer.ts";
import { TokenizerError } from "./tokenizer-file.ts";
import { parseToolCalls } from "./tool-calls.ts";
import { trainTokenizer } from "./train-tokenizer.ts";

const tokenizer = Tokenizer.fromJson(
  trainTokenizer(["ai name=assistant\nuser name=user\nWhat is one and two? The sum is three."], {
    vocabSize: 300,
    specialTokens: m1SpecialTokens,
  }),
);

function encoded(messages: ConversationMessage[]): { text: string; learned: string[] } {
  const { ids, learned } = encodeConversation(tokenizer, messages, { template });
  expect(learned).toHaveLength(ids.length);
  const runs: number[][] = [];
  ids.forEach((id, i) => {
    if (!learned[i]) return;
    if (learned[i - 1]) runs.at(-1)!.push(id);
    else runs.push([id]);
  });
  return { text: tokenizer.decode(ids), learned: runs.map((run) => tokenizer.decode(run)) };
}

const user: ConversationMessage = { role: "user", content: "one?" };

describe("encodeConversation", () => {
  it("marks what the assistant says in each turn, thoughts and ends included", () => {
    const messages: ConversationMessage[] = [
      { role: "system", content: "sum" },
      user,
      { role: "assistant", content: "two", reasoning_content: "think" },
      user,
      { role: "assistant", content: [{ type: "text", text: "three" }] },
    ];
    expect(encoded(messages).learned).toEqual([
      "<think>\nthink\n</think>\n\ntwo<end_of_sentence>",
      "<think>\n</think>\n\nthree<end_of_sentence>",
    ]);
    const { ids, learned } = encodeConversation(tokenizer, messages.slice(0, 3), { template });
    // What is not learned is what a model is asked with.
    const prompt = encodeChat(tokenizer, messages.slice(0, 2), { template });
    expect(ids.slice(0, prompt.length)).toEqual(prompt);
    expect(learned.indexOf(1)).toBe(prompt.length);
    expect(ids.filter((id) => id === tokenizer.tokenToId("<think>"))).toHaveLength(1);
  });

  it("reads marks in a message as plain characters", () => {
    const content = "</think> <end_of_sentence>";
    const { ids } = encodeConversation(
      tokenizer,
      [
        { role: "user", content },
        { role: "assistant", content, reasoning_content: content },
      ],
      { template },
    );
    const count = (token: string): number =>
      ids.filter((id) => id === tokenizer.tokenToId(token)).length;
    expect([count("</think>"), count("<end_of_sentence>")]).toEqual([1, 2]);
  });

  it("writes calls as they are parsed again, and results under the name of their call", () => {
    const { learned, text } = encoded([
      user,
      {
        role: "assistant",
        content: "Let me see.",
        tool_calls: [{ id: "c", function: { name: "add", arguments: '{ "a": 1 }' } }],
      },
      { role: "tool", content: "3", tool_call_id: "c" },
      { role: "assistant", content: "three" },
    ]);
    const said = learned[0]!.replace(/^<think>\n<\/think>\n\n/, "");
    expect(parseToolCalls(said).calls).toEqual([{ name: "add", arguments: { a: 1 } }]);
    expect(text).toContain("tool name: add\ntool result: 3");
    expect(learned).toHaveLength(2);
  });

  it("gives results that follow each other in one list, as M1's guide has it", () => {
    const call = (id: string, name: string) => ({ id, function: { name, arguments: "{}" } });
    const { text } = encoded([
      user,
      { role: "assistant", content: "", tool_calls: [call("a", "add"), call("b", "now")] },
      { role: "tool", content: "3", tool_call_id: "a" },
      { role: "tool", content: "12:00", tool_call_id: "b" },
      { role: "assistant", content: "three" },
    ]);
    expect(text.match(/tool name=tools\n/g)).toHaveLength(1);
    expect(text).toContain(
      "tool name: add\ntool result: 3\n\ntool name: now\ntool result: 12:00\n",
    );
  });

  it("refuses results of no call, broken arguments and late system messages", () => {
    const answer: ConversationMessage = { role: "assistant", content: "x" };
    expect(() => encoded([user, answer, { role: "tool", content: "3" }, answer])).toThrow(
      /expected a name or the tool_call_id .*, found neither/,
    );
    const calls = [{ function: { name: "add", arguments: "{" } }];
    expect(() => encoded([user, { ...answer, tool_calls: calls }])).toThrow(
      /expected arguments in JSON, found {/,
    );
    expect(() => encoded([user, answer, { role: "system", content: "y" }, answer])).toThrow(
      TokenizerError,
    );
  });
});

describe("the marks of calls", () => {
  it("are tokens where the tokenizer has them, in what is said and in prompts, and text in messages", () => {
    const specialTokens = [...m1SpecialTokens, "<tool_calls>", "</tool_calls>"];
    const marked = Tokenizer.fromJson(
      trainTokenizer(["say so"], { vocabSize: 300, specialTokens }),
    );
    const said: ConversationMessage = {
      role: "assistant",
      content: "I say <tool_calls>",
      reasoning_content: "so",
      tool_calls: [{ function: { name: "say", arguments: '{"a": "</tool_calls>"}' } }],
    };
    const call =
      '<tool_calls>\n{"name": "say", "arguments": {"a": "</tool_calls>"}}\n</tool_calls>';
    const reply = encodeReply(marked, said);
    expect(marked.decode(reply)).toBe(`<think>\nso\n</think>\n\nI say <tool_calls>\n${call}`);
    const prompt = encodeChat(marked, [said], { template, addGenerationPrompt: false });
    const marks = ["<tool_calls>", "</tool_calls>"].map((mark) => marked.tokenToId(mark)!);
    for (const ids of [reply, prompt]) {
      expect(ids.filter((id) => marks.includes(id))).toEqual(marks);
    }
    expect(prompt.join()).toContain(reply.slice(reply.indexOf(marks[0]!)).join());
    // Without such tokens the same text is as it was.
    const plain = tokenizer.encode(`\n\nI say <tool_calls>\n${call}`, {
      parseSpecialTokens: false,
    });
    expect(encodeReply(tokenizer, said).slice(-plain.length)).toEqual(plain);
  });
});
