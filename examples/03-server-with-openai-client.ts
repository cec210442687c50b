// A server of one's own, asked by OpenAI's client.

import { startServer } from "@levin/server";
import OpenAI from "openai";

const server = await startServer({ port: 0 });
const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });
const stream = await client.chat.completions.create({
  model: server.modelId,
  messages: [{ role: "user", content: "What is 58 plus 67?" }],
  temperature: 0,
  stream: true,
});
let answer = "";
for await (const { choices } of stream) answer += choices[0]?.delta.content ?? "";
console.log(answer.trim()); // → 125
await server.close();
