// The embedded model thinks within a budget, and answers; each token is told as it comes.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { selectBackend } from "@levin/kernels/node";
import { generate } from "@levin/model";
import { loadModel } from "@levin/model/node";
import { sparkDirectory } from "@levin/spark";
import { encodeChat, m1ChatTemplate, Tokenizer } from "@levin/tokenizer";

await selectBackend("wasm");
const model = await loadModel(fileURLToPath(sparkDirectory));
const file = await readFile(new URL("tokenizer.json", sparkDirectory), "utf8");
const tokenizer = Tokenizer.fromJson(JSON.parse(file));
const prompt = encodeChat(tokenizer, [{ role: "user", content: "What is 58 plus 67?" }], {
  template: m1ChatTemplate,
});

const said = { thought: "", answer: "" };
for await (const { text, part } of generate(model, tokenizer, prompt, {
  thinkingBudget: 200,
  temperature: 0,
})) {
  if (part === "thought") said.thought += text;
  if (part === "answer") said.answer += text;
}
console.log(`thought first: ${said.thought.length > 0}`); // → thought first: true
console.log(said.answer.trim()); // → 125
