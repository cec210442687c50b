import { basename, dirname } from "node:path";
import { importPeer } from "./peer-packages.ts";
import { decodeTokens, printRates, prompt, workerFlags } from "./repeat.ts";

/* An ONNX graph in onnxruntime-node, through transformers.js's own way to generate. */

/** As much of transformers.js as is used here. */
interface TransformersJs {
  env: { allowRemoteModels: boolean; localModelPath: string };
  AutoModelForCausalLM: {
    from_pretrained(
      name: string,
      options: object,
    ): Promise<{ generate(options: object): Promise<object> }>;
  };
  Tensor: new (type: string, data: BigInt64Array, shape: number[]) => object;
}

const { model: path, length, repeats, threads } = workerFlags();
const { env, AutoModelForCausalLM, Tensor } = await importPeer<TransformersJs>(
  "@huggingface/transformers",
);
env.allowRemoteModels = false;
env.localModelPath = dirname(path);
const model = await AutoModelForCausalLM.from_pretrained(basename(path), {
  ...{ dtype: "fp32", device: "cpu", local_files_only: true },
  session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
});
const ids = BigInt64Array.from(prompt(length, 8192), BigInt);
const ones = new BigInt64Array(length).fill(1n);
await printRates({ length, repeats }, async (prefilled) => {
  let count = 0;
  const streamer = {
    // The prompt is put first, then each new token.
    put: () => {
      if (count++ === 1) prefilled();
    },
    end: () => {},
  };
  await model.generate({
    inputs: new Tensor("int64", ids, [1, length]),
    attention_mask: new Tensor("int64", ones, [1, length]),
    ...{ do_sample: false, max_new_tokens: decodeTokens + 1, streamer },
  });
  if (count !== decodeTokens + 2) {
    throw new Error(`transformers.js: expected ${decodeTokens + 1} tokens, found ${count - 1}`);
  }
});
