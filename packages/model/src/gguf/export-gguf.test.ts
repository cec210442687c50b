import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gguf, GGMLQuantizationType, type GGUFParseOutput } from "@huggingface/gguf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NamedArray } from "../checkpoint/safetensors-reader.ts";
import { exportGguf, readConfig, readSafetensorsFile, type ExportGgufOptions } from "../node.ts";
import { checkLlamaArchitecture } from "./llama-architecture.ts";

const fixture = (name: string): string => join(import.meta.dirname, "../__fixtures__/parity", name);
const hybrid = fixture("d_7to1_8layers");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "levin-gguf-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file as another reader finds it. */
interface Exported extends GGUFParseOutput {
  bytes: Buffer;
}

async function exported(source: string, options: ExportGgufOptions = {}): Promise<Exported> {
  const path = join(folder, "model.gguf");
  await exportGguf(source, path, options);
  const parsed = await gguf(path, { allowLocalFile: true });
  return { ...(parsed as unknown as GGUFParseOutput), bytes: await readFile(path) };
}

function tensorOf(file: Exported, name: string): { shape: number[]; type: string; at: number } {
  const { shape, dtype, offset } = file.tensorInfos.find((tensor) => tensor.name === name)!;
  return {
    shape: shape.map(Number),
    type: GGMLQuantizationType[dtype]!,
    at: Number(file.tensorDataOffset + offset),
  };
}

const floatsAt = ({ bytes }: Exported, at: number, count: number): Float32Array =>
  new Float32Array(bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + 4 * count));

describe("a GGUF file", () => {
  let weights: Map<string, NamedArray>;
  beforeAll(async () => {
    weights = await readSafetensorsFile(join(hybrid, "model.safetensors"));
  });
  const valuesOf = (name: string): Float32Array => weights.get(name)!.values as Float32Array;

  it("says what llama.cpp wants to know of a model, and what it is told besides", async () => {
    const metadata = {
      ...{ "general.name": "tiny é", "tokenizer.ggml.tokens": ["a", "", "ß"] },
      "tokenizer.ggml.add_bos_token": false,
    };
    const file = await exported(hybrid, { metadata });
    expect(file.metadata).toMatchObject({
      version: 3,
      ...metadata,
      "general.architecture": "minimax-01",
      "general.file_type": 0,
      "minimax-01.block_count": 8,
      "minimax-01.embedding_length": 32,
      "minimax-01.feed_forward_length": 20,
      "minimax-01.expert_count": 8,
      "minimax-01.attention.head_count": 4,
      "minimax-01.attention.head_count_kv": 2,
      "minimax-01.attention.key_length": 8,
      "minimax-01.attention.recurrent_layers": [1, 1, 1, 1, 1, 1, 1, 0],
      "minimax-01.residual_scale": 2,
      "minimax-01.rope.freq_base": (await readConfig(hybrid)).ropeTheta,
    });
  });

  it("holds each tensor once, aligned, experts of a layer in one", async () => {
    const file = await exported(hybrid);
    const names = file.tensorInfos.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(tensorOf(file, name).at % 32).toBe(0);

    const embedding = tensorOf(file, "token_embd.weight");
    expect(embedding).toMatchObject({ shape: [32, 96], type: "F32" });
    expect(floatsAt(file, embedding.at, 32 * 96)).toEqual(valuesOf("model.embed_tokens.weight"));

    const down = tensorOf(file, "blk.7.ffn_down_exps.weight");
    expect(down.shape).toEqual([20, 32, 8]);
    const size = 20 * 32;
    const expert = valuesOf("model.layers.7.block_sparse_moe.experts.5.w2.weight");
    expect(floatsAt(file, down.at + 4 * 5 * size, size)).toEqual(expert);
    const { shape } = tensorOf(file, "blk.0.attn_qkv.weight");
    expect(shape).toEqual([32, 3 * 4 * 8]);
    const end = Math.max(...names.map((name) => tensorOf(file, name).at));
    expect(file.bytes.byteLength).toBeGreaterThan(end);
  });

  it("has 8-bit blocks of what fits into them", async () => {
    const file = await exported(hybrid, { type: "q8_0" });
    const typeOf = (name: string): string => tensorOf(file, name).type;
    expect(typeOf("blk.0.attn_qkv.weight")).toBe("Q8_0");
    expect(typeOf("output.weight")).toBe("Q8_0");
    // Rows of 20, a router gate, a norm.
    expect(typeOf("blk.0.ffn_down_exps.weight")).toBe("F32");
    expect(typeOf("blk.0.ffn_gate_inp.weight")).toBe("F32");
    expect(typeOf("output_norm.weight")).toBe("F32");
    const { at } = tensorOf(file, "output.weight");
    const values = valuesOf("lm_head.weight");
    for (let block = 0; block < 96; block++) {
      const start = at + 34 * block;
      const largest = Math.max(...values.slice(32 * block, 32 * block + 32).map(Math.abs));
      // A float16 has 11 bits.
      const half = file.bytes.readUInt16LE(start);
      const scale = (1 + (half & 1023) / 1024) * 2 ** ((half >> 10) - 15);
      expect(scale / (largest / 127)).toBeCloseTo(1, 3);
      for (let i = 0; i < 32; i++) {
        const error = file.bytes.readInt8(start + 2 + i) * scale - values[32 * block + i]!;
        expect(Math.abs(error)).toBeLessThan(scale * 0.6);
      }
    }
  });

  it("keeps the type of a checkpoint unless told otherwise", async () => {
    const source = fixture("h_bf16_weights");
    const file = await exported(source);
    expect(tensorOf(file, "output.weight").type).toBe("BF16");
    expect(tensorOf(file, "output_norm.weight").type).toBe("F32");
    expect(await exportGguf(source, join(folder, "half.gguf"), { type: "f16" })).toBe("f16");
  });

  it("appears only when it is whole", async () => {
    const empty = await mkdtemp(join(folder, "broken-"));
    const config = JSON.parse(await readFile(join(hybrid, "config.json"), "utf8")) as object;
    await writeFile(join(empty, "config.json"), JSON.stringify(config));
    const weightsFile = await readFile(join(hybrid, "model.safetensors"));
    await writeFile(join(empty, "model.safetensors"), weightsFile.subarray(0, -100));
    const target = join(empty, "model.gguf");
    await expect(exportGguf(empty, target)).rejects.toThrow(/CheckpointError|expected/);
    expect(await readdir(empty)).toEqual(["config.json", "model.safetensors"]);
  });
});

it.each([
  ["a_mix_lllf", /residual factors that differ/],
  ["j_m1_6heads_top3_prenorm", /6 heads, no power of two, postnorm false/],
  ["k_hf_3heads_top1", /3 heads/],
  ["ring_lflff", /a model of the ring family.*layers without experts/],
])("%s is refused: llama.cpp would compute another model", async (name, message) => {
  const refusal = exportGguf(fixture(name), join(folder, "no.gguf"));
  await expect(refusal).rejects.toThrow(message);
  await expect(refusal).rejects.toMatchObject({ name: "CheckpointError" });
});

it("quantised weights are refused with what to do", async () => {
  const config = await readConfig(hybrid);
  const quantization = { bits: 8, blockSize: 32 } as const;
  expect(() => checkLlamaArchitecture({ ...config, quantization })).toThrow(
    "8-bit weights (convert what they came from)",
  );
});
