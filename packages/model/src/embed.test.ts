import { fileURLToPath } from "node:url";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { CausalLanguageModel } from "./causal-language-model.ts";
import { embed } from "./embed.ts";
import { loadModel } from "./load-model.ts";
import { TokenBatchError } from "./token-batch.ts";

const directory = fileURLToPath(new URL("__fixtures__/parity/i_m1_layout", import.meta.url));
const texts = [[5, 4, 3], [9], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [7, 7, 2, 40, 12], [3, 4, 5]];

describe.each(["cpu", "wasm"])("embed on %s", (backend) => {
  let model: CausalLanguageModel;
  beforeAll(async () => {
    await selectBackend(backend);
    model = await loadModel(directory);
  });

  it.each(["mean", "last"] as const)("gives the %s hidden state, of length 1", async (pooling) => {
    const embeddings = await embed(model, texts, { pooling });
    expect(embeddings).toHaveLength(texts.length);
    for (const [i, ids] of texts.entries()) {
      let hidden: number[][] = [];
      model.forward({ ids: [ids] }, { finalNorm: (x) => (hidden = x.arraySync()[0]!) });
      const rows = pooling === "mean" ? hidden : hidden.slice(-1);
      const sum = hidden[0]!.map((_, j) => rows.reduce((total, row) => total + row[j]!, 0));
      const norm = Math.hypot(...sum);
      expect(embeddings[i]).toHaveLength(model.config.hiddenSize);
      expect(Math.hypot(...embeddings[i]!)).toBeCloseTo(1, 5);
      sum.forEach((value, j) => expect(embeddings[i]![j]!).toBeCloseTo(value / norm, 5));
    }
  });

  it("does not depend on what a text is computed with, and leaves no tensor behind", async () => {
    const before = tf.memory().numTensors;
    const together = await embed(model, texts);
    const apart = await embed(model, texts, { maxBatchTokens: 12 });
    expect(tf.memory().numTensors).toBe(before);
    together.forEach((embedding, i) =>
      embedding.forEach((value, j) => expect(apart[i]![j]!).toBeCloseTo(value, 5)),
    );
    expect(together[0]).not.toEqual(together[4]);
  });

  it("refuses texts that are none", async () => {
    await expect(embed(model, [[1], []])).rejects.toThrow(TokenBatchError);
    await expect(embed(model, [[1], []])).rejects.toThrow("text 1: expected at least one token");
    await expect(embed(model, [[1e6]])).rejects.toThrow(TokenBatchError);
    expect(await embed(model, [])).toEqual([]);
  });
});
