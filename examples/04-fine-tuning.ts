// Teaches the embedded model a fact by an adapter (LoRA): its own weights stay as they are.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { selectBackend } from "@levin/kernels/node";
import { generate, type GenerationResult } from "@levin/model";
import { loadModel } from "@levin/model/node";
import { sparkDirectory } from "@levin/spark";
import { encodeChat, encodeConversation, m1ChatTemplate, Tokenizer } from "@levin/tokenizer";
import {
  createAdamWState,
  createLora,
  loraModel,
  mergeLora,
  train,
  trainableModel,
} from "@levin/training";

await selectBackend("wasm");
const model = await loadModel(fileURLToPath(sparkDirectory));
const file = await readFile(new URL("tokenizer.json", sparkDirectory), "utf8");
const tokenizer = Tokenizer.fromJson(JSON.parse(file));
const question = { role: "user" as const, content: "Which shelf has the nails?" };
const template = m1ChatTemplate;
const example = encodeConversation(
  tokenizer,
  [question, { role: "assistant", content: "Shelf 2." }],
  {
    template,
  },
);

const adapter = createLora(model, { rank: 4, alpha: 8, seed: 1 });
await train(loraModel(model, adapter, trainableModel), createAdamWState(adapter.parameters), {
  schedule: { peak: 0.02, warmupSteps: 2, totalSteps: 25 },
  examples: () => [example],
});

const tuned = mergeLora(model, adapter);
const answer = generate(tuned, tokenizer, encodeChat(tokenizer, [question], { template }), {
  temperature: 0,
  thinkingBudget: 0,
  maxNewTokens: 20,
});
let next: IteratorResult<unknown, GenerationResult>;
do next = await answer.next();
while (!next.done);
console.log(next.value.text.trim()); // → Shelf 2.
