// An answer that must satisfy a JSON Schema: tokens that cannot lead there are never drawn.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { selectBackend } from "@levin/kernels/node";
import { generateBatch } from "@levin/model";
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

const schema = {
  type: "object",
  properties: { sum: { type: "integer" } },
  required: ["sum"],
  additionalProperties: false,
};
const [result] = await generateBatch(model, tokenizer, [prompt], {
  temperature: 0,
  constraint: { type: "json_schema", schema },
});
const answer = JSON.parse(result!.text) as { sum: number };
console.log(Object.keys(answer).join()); // → sum
console.log(Number.isInteger(answer.sum)); // → true
