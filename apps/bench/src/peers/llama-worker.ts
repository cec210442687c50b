import { importPeer } from "./peer-packages.ts";
import { decodeTokens, printRates, prompt, workerFlags } from "./repeat.ts";

/* A GGUF file in llama.cpp, through node-llama-cpp's own way to generate. */

/** As much of node-llama-cpp as is used here. */
interface NodeLlamaCpp {
  getLlama: (
    this: void,
    options: object,
  ) => Promise<{
    loadModel(options: object): Promise<{
      trainContextSize: number;
      createContext(options: object): Promise<{
        getSequence(): {
          clearHistory(): Promise<void>;
          evaluate(tokens: number[], options: object): AsyncGenerator<number>;
        };
      }>;
    }>;
  }>;
}

const { model: modelPath, length, repeats, threads } = workerFlags();
const { getLlama } = await importPeer<NodeLlamaCpp>("node-llama-cpp");
const llama = await getLlama({
  ...{ gpu: false, build: "never", skipDownload: true, logLevel: "error" },
  maxThreads: threads,
});
const model = await llama.loadModel({ modelPath });
const contextSize = length + decodeTokens + 2;
const context = await model.createContext({ contextSize, sequences: 1, threads });
const sequence = context.getSequence();
const tokens = prompt(length, 8192);
await printRates({ length, repeats }, async (prefilled) => {
  await sequence.clearHistory();
  let count = 0;
  for await (const _ of sequence.evaluate(tokens, { temperature: 0, yieldEogToken: true })) {
    if (count === 0) prefilled();
    if (count++ === decodeTokens) return;
  }
  throw new Error(`llama.cpp: expected ${decodeTokens + 1} tokens, found ${count}`);
});
process.exit();
