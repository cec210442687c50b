import { hasDecodeStep, quantize, type QuantizedBits } from "@levin/kernels";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { CausalLanguageModel } from "./causal-language-model.ts";
import { quantizedShape } from "./checkpoint/quantized-tensors.ts";
import { tensorShapes } from "./checkpoint/tensor-shapes.ts";
import { parseConfig } from "./config/parse-config.ts";
import type { TokenBatch } from "./token-batch.ts";

const anySizes = {
  layers: fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 3 }),
  batch: fc.integer({ min: 1, max: 9 }),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 3 }),
  experts: fc.integer({ min: 1, max: 6 }),
  postnorm: fc.boolean(),
  tied: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
};
const sizes = fc.record({
  ...anySizes,
  hidden: fc.integer({ min: 1, max: 37 }),
  headDim: fc.integer({ min: 1, max: 9 }).map((half) => 2 * half),
  rotated: fc.integer({ min: 1, max: 9 }).map((half) => 2 * half),
  k: fc.integer({ min: 1, max: 3 }),
  intermediate: fc.integer({ min: 1, max: 33 }),
});
const blockSizes = fc.record({
  ...anySizes,
  hidden: fc.constantFrom(32, 40, 96),
  headDim: fc.constantFrom(8, 16, 18, 32),
  rotated: fc.constantFrom(8, 4),
  // All of them: a choice between nearly equal ones could differ by a rounding error.
  k: fc.constant(6),
  intermediate: fc.constantFrom(20, 32, 160),
});
type Sizes = typeof sizes extends fc.Arbitrary<infer T> ? T : never;

const vocabSize = 11;

/** A model with random weights; with `bits` those quantised that a checkpoint would have so. */
function randomModel(p: Sizes, bits?: QuantizedBits): CausalLanguageModel {
  const config = parseConfig({
    model_type: "minimax_m1",
    vocab_size: vocabSize,
    hidden_size: p.hidden,
    num_hidden_layers: p.layers.length,
    attn_type_list: p.layers,
    num_attention_heads: p.kvHeads * p.group,
    num_key_value_heads: p.kvHeads,
    head_dim: p.headDim,
    rotary_dim: Math.min(p.rotated, p.headDim),
    num_local_experts: p.experts,
    num_experts_per_tok: Math.min(p.k, p.experts),
    intermediate_size: p.intermediate,
    tie_word_embeddings: p.tied,
    postnorm: p.postnorm,
    layernorm_mlp_alpha: 1.5,
    layernorm_linear_attention_beta: 0.5,
  });
  let next = p.seed;
  const weight = ([name, shape]: [string, number[]]): [string, tf.Tensor] => {
    const scale = shape.length === 2 ? shape[1]! ** -0.5 : 1;
    const tensor = tf.randomNormal(shape, 0, scale, "float32", next++);
    const blocks = bits && quantizedShape(name, shape, { bits, blockSize: 32 });
    if (!blocks) return [name, tensor];
    const values = tensor.dataSync() as Float32Array;
    return [name, tf.tensor(quantize(values, shape as [number, number], bits), blocks, "int32")];
  };
  return new CausalLanguageModel(config, new Map([...tensorShapes(config)].map(weight)));
}

/** Logits after each of the batches, of which the later ones are single tokens. */
function advanceAll(model: CausalLanguageModel, batches: readonly TokenBatch[]): Float32Array[] {
  const state = model.createState(batches[0]!.ids.length);
  const logits = batches.map((tokens) =>
    tf.tidy(() => Float32Array.from(model.advance(state, tokens).dataSync())),
  );
  state.dispose();
  return logits;
}

/** What {@link advanceAll} gives when every layer's kernels run one after another. */
function advanceComposed(
  model: CausalLanguageModel,
  batches: readonly TokenBatch[],
): Float32Array[] {
  const fused = tf.getKernel("LevinDecodeStep", tf.getBackend());
  if (fused) tf.unregisterKernel(fused.kernelName, fused.backendName);
  try {
    return advanceAll(model, batches);
  } finally {
    if (fused) tf.registerKernel(fused);
  }
}

/** A prompt, the first row padded, and single tokens. */
function batchesOf({ batch, seed }: Sizes): TokenBatch[] {
  const ids = (length: number, salt: number): number[][] =>
    Array.from({ length: batch }, (_row, row) =>
      Array.from({ length }, (_id, i) => (seed + 7 * row + 3 * i + salt) % vocabSize),
    );
  const prompt = ids(4, 0);
  const mask = prompt.map((row, i) => row.map((_, t) => (seed % 2 && i === 0 && t < 2 ? 0 : 1)));
  return [{ ids: prompt, mask }, ...[1, 2, 3].map((salt) => ({ ids: ids(1, salt) }))];
}

/** False when a rounding error could decide which experts a token of the batches gets. */
function isDecided(model: CausalLanguageModel, [prompt, ...steps]: TokenBatch[]): boolean {
  const later = (row: number): number[] => steps.map(({ ids }) => ids[row]![0]!);
  const ids = prompt!.ids.map((row, i) => [...row, ...later(i)]);
  const mask = prompt!.mask!.map((row) => [...row, ...steps.map(() => 1)]);
  const gaps: number[] = [];
  tf.tidy(() => {
    model.forward(
      { ids, mask },
      {
        layer: (_, { router }) => {
          for (const logits of router!.logits.arraySync() as number[][]) {
            const sorted = logits.toSorted((a, b) => b - a);
            sorted.slice(1).forEach((logit, i) => gaps.push(sorted[i]! - logit));
          }
        },
      },
    );
  });
  return Math.min(...gaps, Infinity) > 1e-5;
}

function expectClose(found: Float32Array[], expected: Float32Array[], tolerance: number): void {
  found.forEach((logits, step) => {
    const scale = expected[step]!.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    logits.forEach((value, i) =>
      expect(Math.abs(value - expected[step]![i]!) / scale).toBeLessThan(tolerance),
    );
  });
}

describe("a decoding step as one kernel", () => {
  beforeAll(() => selectBackend("wasm"));

  it("is what wasm has", () => expect(hasDecodeStep()).toBe(true));

  it("gives what the layers give one after another, for any sizes, and leaves no tensor behind", () => {
    fc.assert(
      fc.property(sizes, (p) => {
        const model = randomModel(p);
        const batches = batchesOf(p);
        const decided = isDecided(model, batches);
        if (decided) {
          const before = tf.memory().numTensors;
          const found = advanceAll(model, batches);
          expect(tf.memory().numTensors).toBe(before);
          expectClose(found, advanceComposed(model, batches), 1e-4);
        }
        model.dispose();
        fc.pre(decided);
      }),
      { numRuns: 60 },
    );
  });

  it("gives with quantised weights what the references give on cpu", () =>
    fc.assert(
      fc.asyncProperty(blockSizes, fc.constantFrom<QuantizedBits>(8, 4), async (p, bits) => {
        const results: Float32Array[][] = [];
        for (const backend of ["cpu", "wasm"]) {
          await selectBackend(backend);
          const model = randomModel(p, bits);
          results.push(advanceAll(model, batchesOf(p)));
          model.dispose();
        }
        expectClose(results[1]!, results[0]!, 3e-3);
      }),
      { numRuns: 20 },
    ));

  it("carries on over many tokens, whose caches settle, and leaves clones of a state alone", () => {
    const model = randomModel({
      ...{ layers: [0, 1], batch: 1, kvHeads: 2, group: 2, experts: 3, k: 2, hidden: 24 },
      ...{ headDim: 8, rotated: 4, intermediate: 20, postnorm: true, tied: false, seed: 3 },
    });
    const ids = Array.from({ length: 600 }, (_, i) => (5 * i + (i >> 3)) % vocabSize);
    const state = model.createState(1);
    const logits = ids.map((id, position) =>
      tf.tidy(() => {
        const copy = position === 300 ? state.clone() : undefined;
        const result = model.advance(state, { ids: [[id]] }).dataSync();
        if (copy) {
          expect(model.advance(copy, { ids: [[id]] }).dataSync()).toEqual(result);
          copy.dispose();
        }
        return Float32Array.from(result);
      }),
    );
    state.dispose();
    const whole = tf.tidy(() => model.forward({ ids: [ids] }).logits.dataSync());
    const expected = ids.map((_, t) =>
      (whole as Float32Array).subarray(t * vocabSize, (t + 1) * vocabSize),
    );
    expectClose(logits, expected, 1e-3);
    model.dispose();
  });
});
