import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatDatasetError, readChatDataset, type Conversation } from "./chat-dataset.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chat-dataset-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function all(conversations: AsyncIterable<Conversation>): Promise<Conversation[]> {
  const found: Conversation[] = [];
  for await (const conversation of conversations) found.push(conversation);
  return found;
}

async function read(content: string | Uint8Array): Promise<Conversation[]> {
  const path = join(folder, "data.jsonl");
  await writeFile(path, content);
  return all(readChatDataset(path));
}

const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: [{ type: "text", text: "Grüße 🙂?" }] },
  { role: "assistant", content: "Hallo!", reasoning_content: "German." },
];
const line = JSON.stringify({ messages });

describe("readChatDataset", () => {
  it("reads conversations line by line, with empty lines, CRLF, a mark of UTF-8 and no end", async () => {
    const found = await read(`\uFEFF${line}\r\n\n${line}`);
    expect(found).toEqual([{ messages }, { messages }]);
  });

  it("reads tools, calls and their results", async () => {
    const calls = {
      tools: [{ type: "function", function: { name: "add", parameters: { type: "object" } } }],
      messages: [
        { role: "user", content: "1+2?" },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "a", type: "function", function: { name: "add", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "a", content: "3" },
        { role: "assistant", content: "3" },
      ],
    };
    const [found] = await read(JSON.stringify(calls));
    expect(found!.messages[1]).toMatchObject({ content: "" });
    expect(found!.tools).toEqual(calls.tools);
  });

  it("reads lines that are longer than what a disk gives at once", async () => {
    const long = "x".repeat(300_000);
    const text = JSON.stringify({ messages: [{ role: "assistant", content: long }] });
    const found = await read(`${text}\n${line}\n${text}\n`);
    expect(found.map((each) => each.messages.at(-1)!.content)).toEqual([long, "Hallo!", long]);
  });

  it.each([
    ["no JSON", `${line}\n{"messages"`, /data.jsonl:2: expected JSON, found .*$/],
    ["no UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), /data.jsonl:1: expected UTF-8, found/],
    ["no object", "3", /data.jsonl:1: line: .*expected object.*\(found 3\)$/],
    [
      "a role that there is not",
      `\n${line.replace("user", "human")}`,
      /data.jsonl:2: messages\[1\]\.role: .*\(found "human"\)$/,
    ],
    [
      "a message without content",
      '{"messages":[{"role":"user"},{"role":"assistant","content":"x"}]}',
      /data.jsonl:1: messages\[0\]\.content: .*\(found nothing\)$/,
    ],
    [
      "nothing to learn",
      '{"messages":[{"role":"user","content":"x"}]}',
      /messages: expected at least one message of the assistant, found none/,
    ],
    ["no line", "", /data.jsonl: expected at least one conversation, found none$/],
    ["empty lines only", "\n \n", /expected at least one conversation, found none$/],
  ])("refuses a file with %s", async (_, content, problem) => {
    const reading = read(content);
    await expect(reading).rejects.toThrow(ChatDatasetError);
    await expect(reading).rejects.toThrow(problem);
  });

  it("refuses a line without end before it is in memory, and a file that is not there", async () => {
    const path = join(folder, "huge.jsonl");
    const file = await open(path, "w");
    await file.write(`${line}\n`);
    await file.truncate(2 ** 40);
    await file.close();
    const reading = all(readChatDataset(path));
    await expect(reading).rejects.toThrow(
      /huge.jsonl:2: expected a line of at most 67108864 bytes/,
    );
    await rm(path);
    await expect(all(readChatDataset(path))).rejects.toThrow(/huge.jsonl: can't be read: ENOENT/);
  });
});
