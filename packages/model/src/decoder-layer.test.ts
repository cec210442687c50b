import { rotaryAngles } from "@levin/kernels";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { parseConfig } from "./config/parse-config.ts";
import { tensorShapes } from "./checkpoint/tensor-shapes.ts";
import { buildDecoderLayer } from "./model-parameters.ts";

const sizes = fc.record({
  batch: fc.integer({ min: 1, max: 4 }),
  hidden: fc.integer({ min: 1, max: 37 }),
  heads: fc.integer({ min: 1, max: 5 }),
  headDim: fc.integer({ min: 1, max: 9 }).map((half) => 2 * half),
  experts: fc.integer({ min: 1, max: 6 }),
  k: fc.integer({ min: 1, max: 3 }),
  intermediate: fc.integer({ min: 1, max: 33 }),
  kind: fc.constantFrom(0, 1),
  postnorm: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

describe.each(["cpu", "wasm"])("a decoder layer on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("steps as it goes forward, for any sizes, and leaves no tensor behind", () => {
    fc.assert(
      fc.property(sizes, ({ batch, hidden, heads, headDim, experts, k, seed, ...p }) => {
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
          num_experts_per_tok: Math.min(k, experts),
          intermediate_size: p.intermediate,
          postnorm: p.postnorm,
          layernorm_mlp_alpha: 1.5,
          layernorm_linear_attention_beta: 0.5,
        });
        tf.tidy(() => {
          let next = seed;
          const normal = (shape: number[]): tf.Tensor =>
            tf.randomNormal(shape, 0, 1, "float32", next++);
          const parameters = new Map(
            [...tensorShapes(config)].map(([name, shape]) => [name, normal(shape)]),
          );
          const layer = buildDecoderLayer(config, parameters, 0);
          const [forward, stepped] = [layer.createState(batch), layer.createState(batch)];
          for (let position = 0; position < 3; position++) {
            const x = normal([batch, 1, hidden]) as tf.Tensor3D;
            const angles = rotaryAngles([[position]], { rotaryDim: headDim, base: 1e4 });
            const { hidden: whole } = layer.forward(x, { angles }, forward);
            const expected = whole.dataSync() as Float32Array;
            const before = tf.memory().numTensors;
            const found = tf.tidy(() => layer.step(x, { angles }, stepped));
            if (p.kind === 0) expect(tf.memory().numTensors).toBe(before + 1);
            const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
            found.dataSync().forEach((value, i) => {
              expect(Math.abs(value - expected[i]!) / scale).toBeLessThan(1e-5);
            });
          }
          forward.dispose();
          stepped.dispose();
        });
      }),
      { numRuns: 40 },
    );
  });
});
