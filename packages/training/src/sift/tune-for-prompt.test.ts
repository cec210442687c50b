import { selectBackend } from "@levin/kernels/node";
import { TokenBatchError, type CausalLanguageModel } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { countingExamples } from "../__fixtures__/counting-examples.ts";
import { tinyModel } from "../__fixtures__/tiny-model.ts";
import { ExampleError, type Example } from "../example.ts";
import { DivergedError } from "../update-step.ts";
import { embedPool } from "./embedded-pool.ts";
import { SelectionError } from "./select-nearest.ts";
import { tuneForPrompt } from "./tune-for-prompt.ts";
import { tuneOnExamples } from "./tune-on-examples.ts";

const prompt = [3, 4, 5, 6];
const examples: Example[] = [0, 1, 2].flatMap((step) => countingExamples(step));

function logits(model: CausalLanguageModel): Float32Array {
  return tf.tidy(() => model.forward({ ids: [[...prompt, 7]] }).logits.dataSync() as Float32Array);
}

describe.each(["cpu", "wasm"])("tuning for a prompt on %s", (backend) => {
  let model: CausalLanguageModel;
  beforeAll(async () => {
    await selectBackend(backend);
    model = tinyModel();
  });

  /** −log p of the prompt's continuation. */
  const surprise = (of: CausalLanguageModel): number => {
    const row = logits(of).slice(-2 * 24, -24);
    return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[7]!;
  };

  it("makes its answer likelier, and leaves the model to the bit once dropped", async () => {
    const [expected, before] = [logits(model), tf.memory().numTensors];
    const pool = await embedPool(model, examples);
    const options = { count: 6, learningRate: 0.02, rank: 4, passes: 3 };
    const tuned = await tuneForPrompt(model, prompt, pool, options);
    expect(tuned.picks).toHaveLength(6);
    expect(tuned.losses).toHaveLength(18);
    expect(tuned.uncertainties.at(-1)!).toBeLessThan(tuned.uncertainties[0]!);
    expect(surprise(tuned.model)).toBeLessThan(surprise(model) - 0.2);
    // The base answers as before even while the tuned model lives.
    expect(logits(model)).toEqual(expected);
    tuned.drop();
    expect(logits(model)).toEqual(expected);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("takes alpha for the adapter's scale, not for SIFT's early stop", async () => {
    const pool = await embedPool(model, examples);
    const tune = (more: { alpha: number; stopAlpha?: number }) =>
      tuneForPrompt(model, prompt, pool, { count: 4, rank: 4, ...more });
    const all = await tune({ alpha: 1000 });
    const few = await tune({ alpha: 8, stopAlpha: 1000 });
    expect([all.picks.length, few.picks.length]).toEqual([4, 1]);
    all.drop();
    few.drop();
  });

  it.each([
    ["a loss that explodes", [], DivergedError, Infinity],
    ["an unknown token", [{ ids: [1, 99], learned: [0, 1] }], TokenBatchError, 0.01],
    ["an example that is none", [{ ids: [1, 2], learned: [0] }], ExampleError, 0.01],
  ] as const)(
    "leaves the model to the bit after %s in the middle, and frees all else",
    async (_, broken, error, learningRate) => {
      const [expected, before] = [logits(model), tf.memory().numTensors];
      const list = [...examples.slice(0, 2), ...broken, ...examples.slice(2)] as Example[];
      await expect(tuneOnExamples(model, list, { learningRate })).rejects.toThrow(error);
      expect(logits(model)).toEqual(expected);
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it("embeds examples by what comes before their answer", async () => {
    const given = { ids: [1, 2, 3], learned: [0, 0, 1] };
    const other = { ids: [1, 2, 9, 9], learned: [0, 0, 1, 1] };
    const [first, second] = (await embedPool(model, [given, other])).embeddings;
    second!.forEach((value, i) => expect(value).toBeCloseTo(first![i]!, 5));
  });

  it("refuses an empty pool", async () => {
    const pool = await embedPool(model, []);
    await expect(tuneForPrompt(model, prompt, pool)).rejects.toThrow(SelectionError);
  });
});
