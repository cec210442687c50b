import { quantize, rotaryAngles, type QuantizedBits } from "@levin/kernels";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantizedShape } from "./checkpoint/quantized-tensors.ts";
import { tensorShapes } from "./checkpoint/tensor-shapes.ts";
import { parseConfig } from "./config/parse-config.ts";
import { buildDecoderLayer } from "./model-parameters.ts";

const sizes = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  hidden: fc.constantFrom(32, 40, 96),
  heads: fc.integer({ min: 1, max: 5 }),
  headDim: fc.constantFrom(8, 16, 18, 32),
  experts: fc.integer({ min: 1, max: 4 }),
  intermediate: fc.constantFrom(20, 32, 160),
  kind: fc.constantFrom(0, 1),
  postnorm: fc.boolean(),
  bits: fc.constantFrom<QuantizedBits>(8, 4),
  seed: fc.integer({ min: 1, max: 1e6 }),
});
type Sizes = typeof sizes extends fc.Arbitrary<infer T> ? T : never;

/** Three steps of a layer with random weights, those quantised that a checkpoint would have so. */
function steps({ batch, hidden, heads, headDim, experts, bits, seed, ...p }: Sizes): number[] {
  const config = parseConfig({
    model_type: "minimax_m1",
    vocab_size: 8,
    hidden_size: hidden,
    num_hidden_layers: 1,
    attn_type_list: [p.kind],
    num_attention_heads: heads,
    num_key_value_heads: 1,
    head_dim: headDim,
    num_local_experts: experts,
    // All of them: a choice between nearly equal ones could differ by a rounding error.
    num_experts_per_tok: experts,
    intermediate_size: p.intermediate,
    postnorm: p.postnorm,
  });
  const quantization = { bits, blockSize: 32 } as const;
  let next = seed;
  const weight = ([name, shape]: [string, number[]]): [string, tf.Tensor] => {
    const tensor = tf.randomNormal(shape, 0, shape.at(-1)! ** -0.5, "float32", next++);
    const blocks = quantizedShape(name, shape, quantization);
    if (!blocks) return [name, tensor];
    const values = tensor.dataSync() as Float32Array;
    return [name, tf.tensor(quantize(values, shape as [number, number], bits), blocks, "int32")];
  };
  const layer = buildDecoderLayer(config, new Map([...tensorShapes(config)].map(weight)), 0);
  const state = layer.createState(batch);
  const outputs = [0, 1, 2].map((position) => {
    const x = tf.randomNormal([batch, 1, hidden], 0, 1, "float32", next++) as tf.Tensor3D;
    const angles = rotaryAngles([[position]], { rotaryDim: headDim, base: 1e4 });
    return [...(layer.step(x, { angles }, state).dataSync() as Float32Array)];
  });
  state.dispose();
  return outputs.flat();
}

describe("a decoder layer with quantised weights", () => {
  it("steps on wasm as its reference does on cpu, for any sizes", () =>
    fc.assert(
      fc.asyncProperty(sizes, async (p) => {
        const results: number[][] = [];
        for (const backend of ["cpu", "wasm"]) {
          await selectBackend(backend);
          tf.engine().startScope();
          results.push(steps(p));
          tf.engine().endScope();
        }
        const [expected, found] = results as [number[], number[]];
        const scale = Math.max(1, ...expected.map(Math.abs));
        found.forEach((value, i) =>
          expect(Math.abs(value - expected[i]!) / scale).toBeLessThan(3e-4),
        );
      }),
      { numRuns: 60 },
    ));
});
