import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isQuantized } from "@levin/kernels";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CausalLanguageModel } from "./causal-language-model.ts";
import { CheckpointError } from "./checkpoint/byte-source.ts";
import { tensorShapes } from "./checkpoint/tensor-shapes.ts";
import { parseConfig } from "./config/parse-config.ts";
import {
  loadModel,
  quantizeCheckpoint,
  readConfig,
  readSafetensorsFile,
  saveCheckpoint,
  saveModel,
} from "./node.ts";

const weights = "model.safetensors";
const config = parseConfig({
  model_type: "minimax_m1",
  vocab_size: 50,
  hidden_size: 64,
  num_hidden_layers: 3,
  attn_type_list: [0, 1, 0],
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 24,
  // All experts are chosen: a random router is so often undecided that a small error changes its choice.
  num_local_experts: 3,
  num_experts_per_tok: 3,
  intermediate_size: 96,
  postnorm: true,
});

let folder: string;
const directory = (name: string): string => join(folder, name);

/** The same random weights on every run, at the scale of trained ones. */
function randomWeights(): Map<string, Float32Array> {
  return new Map(
    [...tensorShapes(config)].map(([name, shape], seed) => {
      const [mean, deviation] = shape.length === 1 ? [1, 0.1] : [0, shape[1]! ** -0.5];
      const values = tf.tidy(
        () =>
          tf.randomNormal(shape, mean, deviation, "float32", 1 + seed).dataSync() as Float32Array,
      );
      return [name, values];
    }),
  );
}

beforeAll(async () => {
  await selectBackend("cpu");
  folder = await mkdtemp(join(tmpdir(), "levin-quantized-"));
  const values = randomWeights();
  await saveCheckpoint(directory("float"), { config, read: (name) => values.get(name)! });
  for (const bits of [8, 4] as const) {
    await quantizeCheckpoint(directory("float"), directory(`int${bits}`), { bits });
  }
});
afterAll(() => rm(folder, { recursive: true }));

/** Logits of a prompt and of three more tokens, one by one. */
function logits(model: CausalLanguageModel): Float32Array {
  const state = model.createState(1);
  const steps = [[3, 14, 15, 9, 26, 5, 35], [8], [9], [7]].map((ids) =>
    tf.tidy(() => model.advance(state, { ids: [ids] }).dataSync() as Float32Array),
  );
  state.dispose();
  return Float32Array.from(steps.flatMap((step) => [...step]));
}

async function logitsOf(name: string): Promise<Float32Array> {
  const model = await loadModel(directory(name));
  const result = logits(model);
  model.dispose();
  return result;
}

function distance(found: Float32Array, expected: Float32Array): number {
  return Math.hypot(...found.map((value, i) => value - expected[i]!)) / Math.hypot(...expected);
}

describe("a quantised model", () => {
  it.each([
    [8, 0.02],
    [4, 0.25],
  ])("of %i bits gives nearly the logits of its float weights", async (bits, bound) => {
    await selectBackend("wasm");
    const error = distance(await logitsOf(`int${bits}`), await logitsOf("float"));
    expect(error).toBeLessThan(bound);
    expect(error).toBeGreaterThan(0);
  });

  it.each([8, 4])("of %i bits gives the same on wasm as on cpu", async (bits) => {
    await selectBackend("cpu");
    const expected = await logitsOf(`int${bits}`);
    await selectBackend("wasm");
    expect(distance(await logitsOf(`int${bits}`), expected)).toBeLessThan(1e-4);
  });

  it("stays quantised in memory: matrices of attention and experts, nothing else", async () => {
    await selectBackend("cpu");
    const model = await loadModel(directory("int8"));
    const kept = [...model.parameters].filter(([, tensor]) => !isQuantized(tensor));
    expect(kept.map(([name]) => name.replace(/\d+/, "N"))).toEqual(
      [...tensorShapes(config).keys()]
        .filter((name) => !/(_proj|output_gate|\.w[123])\.weight$/.test(name))
        .map((name) => name.replace(/\d+/, "N")),
    );
    expect(model.parameters.get("model.layers.0.self_attn.qkv_proj.weight")!.shape).toEqual([
      3 * 96,
      (64 / 32) * 9,
    ]);
    model.dispose();
  });

  it.each(["published", "fused"] as const)("is kept exactly by %s names", async (naming) => {
    await selectBackend("cpu");
    for (const bits of [8, 4]) {
      const again = directory(`again-${naming}-${bits}`);
      const model = await loadModel(directory(`int${bits}`));
      await saveModel(again, model, { naming, maxShardBytes: 20_000 });
      const loaded = await loadModel(again);
      expect(loaded.config).toEqual(model.config);
      for (const [name, tensor] of model.parameters) {
        expect(loaded.parameters.get(name)!.dtype).toBe(tensor.dtype);
        expect(loaded.parameters.get(name)!.dataSync()).toEqual(tensor.dataSync());
      }
      model.dispose();
      loaded.dispose();
    }
  });

  it("is stored under the usual names, with config.json saying how", async () => {
    const json = JSON.parse(
      await readFile(join(directory("int4"), "config.json"), "utf8"),
    ) as object;
    expect(json).toMatchObject({ quantization: { bits: 4, block_size: 32 } });
    const tensors = await readSafetensorsFile(join(directory("int4"), weights));
    expect([...tensors.keys()]).toEqual([...tensorShapes(config).keys()]);
    const expert = tensors.get("model.layers.2.block_sparse_moe.experts.1.w2.weight")!;
    expect(expert.shape).toEqual([64, (96 / 32) * 5]);
    expect(expert.values).toBeInstanceOf(Int32Array);
  });
});

describe("a broken quantised checkpoint", () => {
  const editConfig =
    (change: (json: Record<string, unknown>) => void) =>
    async (path: string): Promise<void> => {
      const file = join(path, "config.json");
      const json = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
      change(json);
      await writeFile(file, JSON.stringify(json));
    };
  const breakScale = async (path: string): Promise<void> => {
    const bytes = await readFile(join(path, weights));
    const header = Number(bytes.readBigUInt64LE(0));
    const entries = JSON.parse(bytes.subarray(8, 8 + header).toString()) as Record<
      string,
      { data_offsets: [number, number] }
    >;
    const [begin] = entries["model.layers.1.self_attn.k_proj.weight"]!.data_offsets;
    bytes.writeFloatLE(Infinity, 8 + header + begin + 36);
    await writeFile(join(path, weights), bytes);
  };

  it.each<[string, string, (path: string) => Promise<void>, RegExp]>([
    [
      "whose config does not say so",
      "int8",
      editConfig((json) => delete json["quantization"]),
      /qkv_proj\.weight: expected a float type, found I32; .*\(quantised weights need quantization/,
    ],
    [
      "of other bits",
      "int8",
      editConfig((json) => (json["quantization"] = { bits: 4, block_size: 32 })),
      /qkv_proj\.weight: expected shape \[288,10\], found \[288,18\]/,
    ],
    [
      "of float weights",
      "float",
      editConfig((json) => (json["quantization"] = { bits: 8, block_size: 32 })),
      /qkv_proj\.weight: expected 8-bit blocks as I32 \[288,18\], found F32 \[288,64\]/,
    ],
    [
      "with an infinite scale",
      "int8",
      breakScale,
      /k_proj\.weight: expected finite scales, found Inf/,
    ],
  ])("%s gives a CheckpointError", async (what, from, change, message) => {
    const broken = directory(`broken ${what}`);
    await cp(directory(from), broken, { recursive: true });
    await change(broken);
    const loading = loadModel(broken);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(CheckpointError);
  });

  it("cannot be trained", async () => {
    await expect(loadModel(directory("int8"), { trainable: true })).rejects.toThrow(
      /expected float weights to train, found 8-bit ones/,
    );
  });

  it("is refused when values are not those of its config", async () => {
    const read = (): Float32Array => new Float32Array(50 * 64);
    const quantised = await readConfig(directory("int8"));
    await expect(saveCheckpoint(directory("no"), { config: quantised, read })).rejects.toThrow(
      CheckpointError,
    );
    const words = (name: string) => {
      const size = tensorShapes(config)
        .get(name)!
        .reduce((product, n) => product * n, 1);
      return /qkv/.test(name) ? new Float32Array(288 * 18) : new Float32Array(size);
    };
    await expect(
      saveCheckpoint(directory("no"), { config: quantised, read: words }),
    ).rejects.toThrow(/qkv_proj\.weight: expected int32 numbers, found float32/);
  });
});

describe("quantizeCheckpoint refuses", () => {
  it("quantised weights, the model's own directory, and matrices of no whole blocks", async () => {
    const to = directory("refused");
    await expect(quantizeCheckpoint(directory("int8"), to, { bits: 4 })).rejects.toThrow(
      /expected float weights to quantise, found 8-bit ones/,
    );
    await expect(
      quantizeCheckpoint(directory("float"), directory("int8/../float"), { bits: 8 }),
    ).rejects.toThrow(/expected another directory than the model's/);
    const odd = parseConfig({
      model_type: "minimax_m1",
      vocab_size: 8,
      hidden_size: 40,
      num_hidden_layers: 1,
      attn_type_list: [0],
      num_attention_heads: 2,
      num_key_value_heads: 2,
      head_dim: 20,
      intermediate_size: 24,
      num_local_experts: 1,
      num_experts_per_tok: 1,
    });
    const read = (name: string): Float32Array =>
      new Float32Array(
        tensorShapes(odd)
          .get(name)!
          .reduce((product, n) => product * n, 1),
      );
    await saveCheckpoint(directory("odd"), { config: odd, read });
    await expect(quantizeCheckpoint(directory("odd"), to, { bits: 8 })).rejects.toThrow(
      /multiple of 32 weights, found hidden_size 40 and intermediate_size 24/,
    );
  });
});
