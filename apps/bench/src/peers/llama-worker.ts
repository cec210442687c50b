import { LlamaModel } from "../llama/node-llama-cpp.ts";
import { decodeTokens, printRates, prompt, workerFlags } from "./repeat.ts";

/* A GGUF file in llama.cpp, through node-llama-cpp's own way to generate. */

const { model: path, length, repeats, threads } = workerFlags();
const model = await LlamaModel.load(path, threads);
const context = await model.open({ contextSize: length + decodeTokens + 2, threads });
const { sequence } = context;
const tokens = prompt(length, 8192);
await printRates(
  { length, repeats },
  async (prefilled) => {
    await sequence.clearHistory();
    let count = 0;
    for await (const _ of sequence.evaluate(tokens, { temperature: 0, yieldEogToken: true })) {
      if (count === 0) prefilled();
      if (count++ === decodeTokens) return;
    }
    throw new Error(`llama.cpp: expected ${decodeTokens + 1} tokens, found ${count}`);
  },
  () => ({ stateBytes: context.stateBytes() }),
);
process.exit();
