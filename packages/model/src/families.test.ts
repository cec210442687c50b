import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasDecodeStep, isQuantized } from "@levin/kernels";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CausalLanguageModel } from "./causal-language-model.ts";
import { tensorShapes } from "./checkpoint/tensor-shapes.ts";
import { parseConfig } from "./config/parse-config.ts";
import { toConfigJson } from "./config/to-config-json.ts";
import { fitsFusedStep } from "./fused-step.ts";
import { collect } from "./generation/testing/collect.ts";
import { printableTokenizer as tokenizer } from "./generation/testing/printable-tokenizer.ts";
import { generate } from "./index.ts";
import { buildDecoderLayer } from "./model-parameters.ts";
import {
  loadModel,
  loadStagedModel,
  quantizeCheckpoint,
  readConfig,
  readSafetensorsFile,
  saveCheckpoint,
  saveModel,
} from "./node.ts";
import { planModel } from "./planner/plan-model.ts";

const fixtures = join(import.meta.dirname, "__fixtures__");
const readJson = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(fixtures, path), "utf8")) as Record<string, unknown>;

let folder: string;
beforeAll(async () => {
  await selectBackend("wasm");
  folder = await mkdtemp(join(tmpdir(), "levin-families-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Logits of a prompt read in two pieces, and of three more tokens. */
function logits(model: CausalLanguageModel): Float32Array {
  const state = model.createState(1);
  const steps = [[3, 14, 15, 9], [26, 5, 35], [8], [9], [7]].map((ids) =>
    tf.tidy(() => Float32Array.from(model.advance(state, { ids: [ids] }).dataSync())),
  );
  state.dispose();
  return Float32Array.from(steps.flatMap((step) => [...step]));
}

async function logitsOf(directory: string): Promise<Float32Array> {
  const model = await loadModel(directory);
  const result = logits(model);
  model.dispose();
  return result;
}

const distance = (found: Float32Array, expected: Float32Array): number =>
  Math.hypot(...found.map((value, i) => value - expected[i]!)) / Math.hypot(...expected);

const families = [
  { name: "Ring-linear", fixture: join(fixtures, "parity/ring_lflff") },
  { name: "TransNormerLLM", fixture: join(fixtures, "parity/transnormer_lrpe_first") },
] as const;

describe.each(families)("a model of $name", ({ name, fixture }) => {
  it("keeps its config, its names in files and its numbers through saving", async () => {
    const target = join(folder, `${name}-saved`);
    const model = await loadModel(fixture);
    await saveModel(target, model);
    expect(await readConfig(target)).toEqual(model.config);
    const [saved, published] = await Promise.all(
      [target, fixture].map((path) => readSafetensorsFile(join(path, "model.safetensors"))),
    );
    expect([...saved!.keys()].toSorted()).toEqual([...published!.keys()].toSorted());
    for (const [key, { values }] of saved!) expect(values).toEqual(published!.get(key)!.values);
    const expected = logits(model);
    model.dispose();
    await saveModel(join(folder, `${name}-fused`), await loadModel(fixture), { naming: "fused" });
    expect(await logitsOf(join(folder, `${name}-fused`))).toEqual(expected);
  });

  it("decodes by its layers, as the kernel of whole steps knows MiniMax's alone", async () => {
    expect(hasDecodeStep()).toBe(true);
    const model = await loadModel(fixture);
    const layer = (i: number) => buildDecoderLayer(model.config, model.parameters, i);
    expect(model.config.layerTypes.map((_, i) => fitsFusedStep(layer(i)))).not.toContain(true);
    const minimax = await loadModel(join(fixtures, "parity/a_mix_lllf"));
    expect(fitsFusedStep(buildDecoderLayer(minimax.config, minimax.parameters, 3))).toBe(true);
    const found = logits(model);
    await selectBackend("cpu");
    const expected = await logitsOf(fixture);
    await selectBackend("wasm");
    expect(distance(found, expected)).toBeLessThan(1e-5);
    minimax.dispose();
    model.dispose();
  });

  it("gives the same from states that were saved, forked and put together", async () => {
    const model = await loadModel(fixture);
    const state = model.createState(1);
    model.advance(state, { ids: [[1, 2, 3, 4, 5]] }).dispose();
    const copies = [
      state.clone(),
      model.deserializeState(state.serialize()),
      state.regroup([0, 0], [state]),
    ];
    const next = (of: typeof state): number[][] =>
      tf.tidy(() => model.advance(of, { ids: Array(of.batch).fill([6]) }).arraySync());
    const [row] = next(state);
    for (const copy of copies) {
      for (const other of next(copy)) {
        other.forEach((value, i) => expect(Math.abs(value - row![i]!)).toBeLessThan(1e-4));
      }
      copy.dispose();
    }
    state.dispose();
    model.dispose();
  });

  it("runs in stages", async () => {
    const expected = await logitsOf(fixture);
    const staged = await loadStagedModel(fixture, { stages: 2 });
    const state = staged.createState(1);
    const last = staged.advance(state, { ids: [[3, 14, 15, 9, 26, 5, 35, 8, 9, 7]] });
    const values = (await last.data()) as Float32Array;
    expect(distance(values, expected.slice(-values.length))).toBeLessThan(1e-5);
    last.dispose();
    state.dispose();
    await staged.dispose();
  });

  it("generates text", async () => {
    const model = await loadModel(fixture);
    const { result } = await collect(
      generate(model, tokenizer, [4, 8, 15], { maxNewTokens: 8, temperature: 0 }),
    );
    expect(result).toMatchObject({ finishReason: "length", usage: { completionTokens: 8 } });
    expect(result.text).not.toBe("");
    model.dispose();
  });
});

describe("Ring-mini-linear-2.0", () => {
  it("has the layers, parameters and state that its publishers report", async () => {
    const config = parseConfig(await readJson("ring-mini-linear-config.json"));
    expect(parseConfig(toConfigJson(config))).toEqual(config);
    const softmax = config.layerTypes.flatMap((type, i) => (type === "softmax" ? [i] : []));
    expect(softmax).toEqual([4, 9, 14, 19]);
    expect(config).toMatchObject({
      rotaryDim: 64,
      numLocalExperts: 256,
      sharedIntermediateSize: 512,
    });
    const { parameters, state } = planModel(config);
    expect(parameters.total / 1e9).toBeCloseTo(16.4, 1);
    // 957 M without embedding and head: arXiv 2510.19338.
    expect(parameters.active / 1e6).toBeCloseTo(957, -1);
    expect(state.lightningBytes).toBe(16 * 16 * 128 * 128 * 4);
    expect(state.cacheBytesPerToken).toBe(4 * 2 * 4 * 128 * 2);
  });
});

describe("a quantised model of Ring-linear", () => {
  it("has all its large matrices quantised, and gives nearly the same", async () => {
    const sizes = {
      ...(await readJson("parity/ring_lflff/config.json")),
      ...{ hidden_size: 64, head_dim: 32, intermediate_size: 96 },
      // All experts of all groups are chosen: a small error must not change the choice.
      ...{ moe_intermediate_size: 32, moe_shared_expert_intermediate_size: 64 },
      ...{ n_group: 2, topk_group: 2, num_experts: 4, num_experts_per_tok: 4 },
    };
    const config = parseConfig(sizes);
    const shapes = tensorShapes(config);
    const seeds = [...shapes.keys()];
    const read = (name: string): Float32Array =>
      tf.tidy(() => {
        const shape = shapes.get(name)!;
        const [mean, deviation] = shape.length === 1 ? [1, 0.1] : [0, shape[1]! ** -0.5];
        const seed = 1 + seeds.indexOf(name);
        return tf.randomNormal(shape, mean, deviation, "float32", seed).dataSync() as Float32Array;
      });
    await saveCheckpoint(join(folder, "float"), { config, read });
    await quantizeCheckpoint(join(folder, "float"), join(folder, "int8"), { bits: 8 });
    const model = await loadModel(join(folder, "int8"));
    const plain = [...model.parameters].filter(([, tensor]) => !isQuantized(tensor));
    expect(plain.filter(([, { rank }]) => rank === 2).map(([name]) => name)).toEqual(
      [...model.parameters.keys()].filter((name) => /embed|head|moe\.gate\.weight/.test(name)),
    );
    const error = distance(logits(model), await logitsOf(join(folder, "float")));
    expect(error).toBeLessThan(0.05);
    expect(error).toBeGreaterThan(0);
    model.dispose();
  });
});
