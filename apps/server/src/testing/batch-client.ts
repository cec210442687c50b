import { toFile, type OpenAI } from "openai";

/** A line of a batch's file that asks a chat model. */
export const chatLine = (custom_id: string, content: string, model = "small"): object => ({
  custom_id,
  method: "POST",
  url: "/v1/chat/completions",
  body: { model, messages: [{ role: "user", content }], temperature: 0 },
});

const jsonl = (lines: readonly object[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join("");

/** Uploads lines, objects or a text as it is, and makes a batch of them. */
export async function createBatch(openai: OpenAI, lines: readonly object[] | string) {
  const text = typeof lines === "string" ? lines : jsonl(lines);
  const file = await openai.files.create({
    file: await toFile(Buffer.from(text), "requests.jsonl"),
    purpose: "batch",
  });
  return openai.batches.create({
    input_file_id: file.id,
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
  });
}

/** A line of a file that a batch wrote. */
export interface BatchReply {
  custom_id: string;
  response: { status_code: number; body: OpenAI.ChatCompletion & { error?: object } } | null;
  error: { code: string; message: string } | null;
}

/** The lines of a file that a batch wrote. */
export async function replies(openai: OpenAI, file: string | null | undefined) {
  const text = await (await openai.files.content(file!)).text();
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as BatchReply);
}
