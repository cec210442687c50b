import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { ModelConfig } from "../config/model-config.ts";
import { bytesSource, CheckpointError } from "./byte-source.ts";
import { readConfig } from "./checkpoint-files.ts";
import { elementBytes, type ElementType } from "./element-types.ts";
import { readCheckpoint } from "./read-checkpoint.ts";
import { tensorShapes } from "./tensor-shapes.ts";

/** A tensor of zeros as it stands in a file. */
interface Entry {
  name: string;
  shape: number[];
  dtype: ElementType;
}

let config: ModelConfig;
let entries: Entry[];

beforeAll(async () => {
  config = await readConfig(join(import.meta.dirname, "../__fixtures__/parity/h_bf16_weights"));
  entries = [...tensorShapes(config)].map(([name, shape]) => ({ name, shape, dtype: "BF16" }));
});

function fileOf(tensors: readonly Entry[], fill = 0): Uint8Array {
  let end = 0;
  const header = tensors.map(({ name, shape, dtype }) => {
    const begin = end;
    end += shape.reduce((product, n) => product * n, elementBytes[dtype]);
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const bytes = new Uint8Array(8 + json.length + end).fill(fill);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

async function namesIn(...files: Uint8Array[]): Promise<string[]> {
  const names: string[] = [];
  const shards = files.map((bytes, i) => bytesSource(`shard ${i}`, bytes));
  for await (const { name } of readCheckpoint(config, shards)) names.push(name);
  return names;
}

describe("readCheckpoint", () => {
  const layer = "model.layers.0.mlp";

  it("reads each weight once, whatever the order of shards and mix of naming schemes", async () => {
    const fused: Entry[] = [
      { name: `${layer}.gate.weight`, shape: [4, 40], dtype: "F32" },
      { name: `${layer}.experts.gate_up_proj`, shape: [4, 64, 40], dtype: "F16" },
      { name: `${layer}.experts.down_proj`, shape: [4, 40, 32], dtype: "BF16" },
    ];
    const others = entries.filter(({ name }) => !/layers\.0\.block_sparse_moe/.test(name));
    const expected = [...tensorShapes(config).keys()].toSorted();
    expect((await namesIn(fileOf(entries))).toSorted()).toEqual(expected);
    expect((await namesIn(fileOf(others), fileOf(fused))).toSorted()).toEqual(expected);
    expect((await namesIn(fileOf(fused), fileOf(others))).toSorted()).toEqual(expected);
  });

  it.each<[string, Entry, RegExp]>([
    [
      "fused experts beside single ones",
      { name: `${layer}.experts.down_proj`, shape: [4, 40, 32], dtype: "BF16" },
      /model\.layers\.0\.block_sparse_moe\.experts\.0\.w2\.weight appears twice/,
    ],
    [
      "both names of a router",
      { name: `${layer}.gate.weight`, shape: [4, 40], dtype: "F32" },
      /model\.layers\.0\.block_sparse_moe\.gate\.weight appears twice/,
    ],
    [
      "fused experts of a layer that is not there",
      { name: "model.layers.4.mlp.experts.down_proj", shape: [4, 40, 32], dtype: "BF16" },
      /unknown tensor model\.layers\.4\.mlp\.experts\.down_proj/,
    ],
    [
      "fused experts of a wrong shape",
      { name: `${layer}.experts.gate_up_proj`, shape: [4, 40, 64], dtype: "BF16" },
      /gate_up_proj: expected shape \[4,64,40\], found \[4,40,64\]/,
    ],
    [
      "a shared expert",
      { name: "model.layers.0.shared_mlp.up_proj.weight", shape: [8, 40], dtype: "BF16" },
      /unknown tensor model\.layers\.0\.shared_mlp\.up_proj\.weight/,
    ],
    [
      "a name of JavaScript",
      { name: "constructor", shape: [1], dtype: "BF16" },
      /unknown tensor constructor/,
    ],
  ])("refuses %s", async (_, extra, message) => {
    const read = namesIn(fileOf(entries), fileOf([extra]));
    await expect(read).rejects.toThrow(message);
    await expect(read).rejects.toThrow(CheckpointError);
  });

  it.each<[string, ElementType, number, RegExp]>([
    ["NaN in bfloat16", "BF16", 0xff, /embed_tokens\.weight: expected finite weights, found NaN/],
    ["NaN in float16", "F16", 0xff, /embed_tokens\.weight: expected finite weights, found NaN/],
    ["NaN in float32", "F32", 0xff, /embed_tokens\.weight: expected finite weights, found NaN/],
    ["integers", "I32", 0, /embed_tokens\.weight: expected a float type, found I32/],
  ])("refuses %s as weights", async (_, dtype, fill, message) => {
    const read = namesIn(
      fileOf(
        entries.map((entry) => ({ ...entry, dtype })),
        fill,
      ),
    );
    await expect(read).rejects.toThrow(message);
    await expect(read).rejects.toThrow(CheckpointError);
  });

  it("answers every change of the inventory with a CheckpointError that names the tensor", async () => {
    const change = fc.record({
      at: fc.nat(entries.length - 1),
      kind: fc.constantFrom("remove", "rename", "reshape", "transpose", "double", "retype"),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, kind }) => {
        const { name, shape } = entries[at]!;
        const changed: Record<typeof kind, Entry[]> = {
          remove: [],
          rename: [{ ...entries[at]!, name: `${name}_` }],
          reshape: [{ ...entries[at]!, shape: [shape[0]! + 1, ...shape.slice(1)] }],
          transpose: [{ ...entries[at]!, shape: [...shape.toReversed(), 1] }],
          double: [entries[at]!],
          retype: [{ ...entries[at]!, dtype: "I64" }],
        };
        const kept = kind === "double" ? entries : entries.toSpliced(at, 1);
        const error: unknown = await namesIn(fileOf(kept), fileOf(changed[kind])).catch(
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(CheckpointError);
        expect((error as Error).message).toContain(name);
      }),
      { numRuns: 100 },
    );
  });
});
