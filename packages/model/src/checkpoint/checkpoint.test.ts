import { mkdtemp, readFile, rm, writeFile, cp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, saveModel, type SaveOptions } from "../node.ts";
import { bytesSource, CheckpointError } from "./byte-source.ts";
import { readConfig } from "./checkpoint-files.ts";
import { decodeElements, encodeElements } from "./element-types.ts";
import { fileSource } from "./file-source.ts";
import { readCheckpoint } from "./read-checkpoint.ts";
import { readSafetensors } from "./safetensors-reader.ts";

const source = join(import.meta.dirname, "../__fixtures__/parity/h_bf16_weights");
let folder: string;

beforeAll(async () => {
  await selectBackend("cpu");
  folder = await mkdtemp(join(tmpdir(), "levin-checkpoint-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function logitsOf(directory: string): Promise<number[][]> {
  const model = await loadModel(directory);
  const state = model.createState(1);
  const logits = model.advance(state, { ids: [[1, 2, 3]] });
  const rows = await logits.array();
  tf.dispose(logits);
  state.dispose();
  model.dispose();
  return rows;
}

describe("saveModel and loadModel", () => {
  it.each([
    ["one file in float32", {}],
    ["bfloat16", { type: "bfloat16" }],
    ["many shards", { maxShardBytes: 50_000 }],
    ["fused names of transformers", { naming: "fused" }],
    ["fused bfloat16 shards", { naming: "fused", type: "bfloat16", maxShardBytes: 50_000 }],
  ] as [string, Partial<SaveOptions>][])(
    "keep a model exactly through %s",
    async (name, options) => {
      const target = join(folder, name);
      const model = await loadModel(source);
      await saveModel(target, model, options);
      model.dispose();
      expect(await logitsOf(target)).toEqual(await logitsOf(source));
      const files = await readdir(target);
      expect(files.filter((entry) => entry.endsWith(".tmp"))).toEqual([]);
      if (options.maxShardBytes) expect(files.length).toBeGreaterThan(4);
    },
  );

  it("leave no tensors behind when a checkpoint is broken", async () => {
    const target = join(folder, "broken");
    await cp(source, target, { recursive: true });
    const bytes = await readFile(join(source, "model.safetensors"));
    bytes[bytes.length - 1] = 0x7f; // the last bfloat16 becomes NaN
    bytes[bytes.length - 2] = 0xff;
    await writeFile(join(target, "model.safetensors"), bytes);
    const before = tf.memory().numTensors;
    await expect(loadModel(target)).rejects.toThrow(/expected finite weights, found NaN/);
    expect(tf.memory().numTensors).toBe(before);
    await rm(join(target, "model.safetensors"));
    await expect(loadModel(target)).rejects.toThrow(
      /expected model.safetensors or .*found neither/,
    );
    const index = JSON.stringify({ weight_map: { a: "../../secret" } });
    await writeFile(join(target, "model.safetensors.index.json"), index);
    await expect(loadModel(target)).rejects.toThrow(/files of this directory/);
  });
});

describe("readCheckpoint", () => {
  it("lists missing, unknown, doubled and misshapen tensors before reading any", async () => {
    const config = await readConfig(source);
    const shard = await fileSource(join(source, "model.safetensors"));
    const collect = async (change: Partial<typeof config>, copies = 1): Promise<number> => {
      let count = 0;
      const shards = Array.from({ length: copies }, () => shard);
      for await (const _ of readCheckpoint({ ...config, ...change }, shards)) count++;
      return count;
    };
    expect(await collect({})).toBeGreaterThan(50);
    await expect(collect({ intermediateSize: 31 })).rejects.toThrow(
      /expected shape \[31,40\], found \[32,40\].* and \d+ more/,
    );
    await expect(collect({ tieWordEmbeddings: true })).rejects.toThrow(/unknown tensor lm_head/);
    await expect(collect({ numLocalExperts: 5 })).rejects.toThrow(/missing tensor .*experts\.4/);
    await expect(collect({}, 2)).rejects.toThrow(/appears twice/);
    await shard.close();
  });
});

function file(header: unknown, data = 0, size?: number): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(size ?? json.length), true);
  bytes.set(json, 8);
  return bytes;
}

async function readAll(bytes: Uint8Array): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of readSafetensors(bytesSource("test", bytes))) names.push(name);
  return names;
}

describe("readSafetensors", () => {
  const tensor = (begin: number, end: number, shape = [1], dtype = "F32") => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });

  it.each([
    ["nothing", new Uint8Array(3), /at least 8 bytes, found 3/],
    ["a header longer than the file", file({}, 0, 1e9), /found a length of 1000000000/],
    ["no JSON", file("{nope"), /expected a JSON header/],
    ["a list as header", file([]), /JSON object/],
    ["an unknown type", file({ a: tensor(0, 4, [1], "F8") }, 4), /found "F8"/],
    ["a wrong byte count", file({ a: tensor(0, 4, [2]) }, 4), /expected 8 bytes for F32 \[2\]/],
    ["a tensor beyond the end", file({ a: tensor(0, 8, [2]) }, 4), /within 4, found 0..8/],
    ["overlap", file({ a: tensor(0, 8, [2]), b: tensor(4, 8) }, 8), /b to start at byte/],
    ["a hole", file({ a: tensor(4, 8) }, 8), /a to start at byte/],
    ["trailing bytes", file({ a: tensor(0, 4) }, 9), /expected \d+ bytes, found/],
    ["a negative size", file({ a: tensor(0, 4, [-1]) }, 4), /expected a shape/],
  ])("refuses %s", async (_, bytes, message) => {
    await expect(readAll(bytes)).rejects.toThrow(CheckpointError);
    await expect(readAll(bytes)).rejects.toThrow(message);
  });

  it("answers every damaged file with tensors or a CheckpointError", async () => {
    const whole = file({ a: tensor(0, 8, [2]), b: tensor(8, 10, [1], "BF16") }, 10);
    expect(await readAll(whole)).toEqual(["a", "b"]);
    const position = fc.nat(whole.length - 1);
    await fc.assert(
      fc.asyncProperty(position, fc.nat(255), fc.nat(whole.length), async (at, byte, length) => {
        const damaged = whole.slice(0, length);
        if (at < length) damaged[at] = byte;
        await readAll(damaged).catch((error: unknown) =>
          expect(error).toBeInstanceOf(CheckpointError),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe("element types", () => {
  it("round to the nearest, and keep what they can hold exactly", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -60_000, max: 60_000 }), (value) => {
        for (const [type, short, digits] of [
          ["float32", "F32", 24],
          ["bfloat16", "BF16", 8],
          ["float16", "F16", 11],
        ] as const) {
          const once = decodeElements(encodeElements(Float32Array.of(value), type), short)[0]!;
          const floor = type === "float16" ? 2 ** -24 : 2 ** -126;
          expect(Math.abs(once - value)).toBeLessThanOrEqual(
            Math.max(Math.abs(value) * 2 ** -digits, floor),
          );
          const twice = decodeElements(encodeElements(Float32Array.of(once), type), short)[0]!;
          expect(twice).toBe(once);
        }
      }),
    );
  });

  it("keep infinities and NaN", () => {
    for (const [type, short] of [
      ["bfloat16", "BF16"],
      ["float16", "F16"],
    ] as const) {
      const values = Float32Array.of(Infinity, -Infinity, NaN);
      expect([...decodeElements(encodeElements(values, type), short)]).toEqual([...values]);
    }
  });
});
