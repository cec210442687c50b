import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensorShapes } from "../checkpoint/tensor-shapes.ts";
import { parseConfig } from "../config/parse-config.ts";
import { planStages, StagePlanError, stageTensors } from "./plan-stages.ts";

/** A model of one expert a layer. */
function configOf(sizes: {
  layers?: number;
  hidden?: number;
  intermediate?: number;
  vocab?: number;
  tied?: boolean;
  bits?: 8 | 4;
}) {
  const { layers = 8, hidden = 64, intermediate = 64, vocab = 128, tied = false, bits } = sizes;
  return parseConfig({
    model_type: "minimax_m1",
    vocab_size: vocab,
    hidden_size: hidden,
    num_hidden_layers: layers,
    attn_type_list: Array.from({ length: layers }, (_, i) => Number(i % 8 === 7)),
    num_attention_heads: 2,
    num_key_value_heads: 1,
    head_dim: 32,
    num_local_experts: 1,
    num_experts_per_tok: 1,
    intermediate_size: intermediate,
    tie_word_embeddings: tied,
    ...(bits && { quantization: { bits, block_size: 32 } }),
  });
}

const bytesOf = (config: ReturnType<typeof configOf>, names: Iterable<string>): number => {
  const shapes = tensorShapes(config);
  return [...names].reduce((sum, name) => sum + shapes.get(name)!.reduce((a, b) => a * b, 4), 0);
};

const anyModel = fc.record({
  layers: fc.integer({ min: 1, max: 20 }),
  vocab: fc.integer({ min: 1, max: 5000 }),
  intermediate: fc.integer({ min: 1, max: 500 }),
  tied: fc.boolean(),
});

describe("planStages", () => {
  it("gives every layer to one stage, in order, for any number of stages", () =>
    fc.assert(
      fc.property(anyModel, fc.double({ min: 0, max: 1, noNaN: true }), (sizes, part) => {
        const count = 1 + Math.floor(part * (sizes.layers - 1));
        const stages = planStages(configOf(sizes), count);
        expect(stages).toHaveLength(count);
        expect(stages[0]!.from).toBe(0);
        expect(stages.at(-1)!.to).toBe(sizes.layers);
        stages.forEach(({ from, to }, i) => {
          expect(to).toBeGreaterThan(from);
          if (i > 0) expect(from).toBe(stages[i - 1]!.to);
        });
      }),
    ));

  it("loads every tensor, none twice but a tied embedding, and counts its bytes", () =>
    fc.assert(
      fc.property(anyModel, (sizes) => {
        const config = configOf(sizes);
        const stages = planStages(config, Math.min(3, sizes.layers));
        const held = stages.map((stage) => stageTensors(config, stage));
        stages.forEach(({ weightBytes }, i) => expect(weightBytes).toBe(bytesOf(config, held[i]!)));
        const names = held.flatMap((tensors) => [...tensors]);
        const all = [...tensorShapes(config).keys()];
        expect(new Set(names)).toEqual(new Set(all));
        const isTwice = sizes.tied && stages.length > 1;
        expect(names.length).toBe(all.length + (isTwice ? 1 : 0));
      }),
    ));

  it("finds the division whose largest stage is smallest", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        (vocab, layers, wanted) => {
          const config = configOf({ layers, vocab });
          const count = Math.min(layers, wanted);
          const each = planStages(config, layers).map(({ weightBytes }) => weightBytes);
          const best = Math.min(...divisions(each, count).map((sums) => Math.max(...sums)));
          const found = planStages(config, count).map(({ weightBytes }) => weightBytes);
          expect(Math.max(...found)).toBe(best);
        },
      ),
    ));

  it("takes as many as leave room in each memory: one for what fits, more for what does not", () => {
    expect(planStages(configOf({}))).toHaveLength(1);
    // 24 layers of 3 · 2048 · 8192 weights and little else: 4.5 GiB in float32, 1.3 at 8 bits.
    const large = { layers: 24, hidden: 2048, intermediate: 8192 };
    expect(planStages(configOf(large))).toHaveLength(2);
    expect(planStages(configOf({ ...large, bits: 8 }))).toHaveLength(1);
    expect(planStages(configOf({ ...large, layers: 80 }))).toHaveLength(6);
  });

  it("plans the published M1, of which one layer is more than a memory, with a stage for each", () => {
    const path = join(import.meta.dirname, "../__fixtures__/m1-config.json");
    const m1 = parseConfig(JSON.parse(readFileSync(path, "utf8")));
    expect(planStages(m1)).toHaveLength(80);
  });

  it.each([0, -1, 1.5, NaN, 9])("refuses %d stages for 8 layers", (count) => {
    expect(() => planStages(configOf({}), count)).toThrow(StagePlanError);
    expect(() => planStages(configOf({}), count)).toThrow(
      `expected a whole number from 1 to 8 (one for each layer), found ${count}`,
    );
  });
});

/** Sums of all divisions into `count` runs. */
function divisions(bytes: readonly number[], count: number): number[][] {
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  if (count === 1) return [[sum(bytes)]];
  return Array.from({ length: bytes.length - count + 1 }, (_, i) => i + 1).flatMap((first) =>
    divisions(bytes.slice(first), count - 1).map((rest) => [sum(bytes.slice(0, first)), ...rest]),
  );
}
