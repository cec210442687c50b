import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  loadModel,
  readConfig,
  saveCheckpoint,
  saveModel,
  writeSafetensorsFile,
  type SaveOptions,
} from "../node.ts";
import { CheckpointError } from "./byte-source.ts";

const source = join(import.meta.dirname, "../__fixtures__/parity/h_bf16_weights");
const index = "model.safetensors.index.json";
let folder: string;
let sharded: string;

beforeAll(async () => {
  await selectBackend("cpu");
  folder = await mkdtemp(join(tmpdir(), "levin-directory-"));
  sharded = join(folder, "sharded");
  const model = await loadModel(source);
  await saveModel(sharded, model, { type: "bfloat16", maxShardBytes: 50_000 });
  model.dispose();
});
afterAll(() => rm(folder, { recursive: true }));

/** Loads a changed copy of the sharded checkpoint, which must fail without leaving tensors. */
async function refused(change: (directory: string) => Promise<unknown>): Promise<Error> {
  const directory = await mkdtemp(join(folder, "changed-"));
  await cp(sharded, directory, { recursive: true });
  await change(directory);
  const before = tf.memory().numTensors;
  const error = await loadModel(directory).then(
    () => new Error("it was loaded"),
    (reason: unknown) => reason as Error,
  );
  expect(tf.memory().numTensors).toBe(before);
  return error;
}

describe("generation_config.json", () => {
  it.each([
    [{ eos_token_id: [7, 9] }, 5, [5, 7, 9]],
    [{ eos_token_id: 5 }, [5], [5]],
    [{ eos_token_id: null, temperature: 0.7 }, null, []],
    [{ eos_token_id: 8 }, undefined, [8]],
  ])("as %j adds to the end tokens %j", async (generation, own, expected) => {
    const directory = await mkdtemp(join(folder, "generation-"));
    const config = JSON.parse(await readFile(join(source, "config.json"), "utf8")) as object;
    await writeFile(
      join(directory, "config.json"),
      JSON.stringify({ ...config, eos_token_id: own }),
    );
    await writeFile(join(directory, "generation_config.json"), JSON.stringify(generation));
    expect((await readConfig(directory)).eosTokenId).toEqual(expected);
  });

  it("is refused with other end tokens than ids", async () => {
    const message = await refused((directory) =>
      writeFile(join(directory, "generation_config.json"), '{"eos_token_id": "</s>"}'),
    );
    expect(message.message).toMatch(/eos_token_id/);
  });
});

describe("a broken model directory", () => {
  const shard = "model-00002-of-00005.safetensors";
  const writeIndex = (value: unknown) => (directory: string) =>
    writeFile(join(directory, index), typeof value === "string" ? value : JSON.stringify(value));

  it.each<[string, (directory: string) => Promise<unknown>, RegExp]>([
    ["a missing config", (d) => rm(join(d, "config.json")), /config\.json: ENOENT/],
    ["a config of no JSON", (d) => writeFile(join(d, "config.json"), "{"), /config\.json: .*JSON/],
    ["an index of no JSON", writeIndex("{"), /index\.json: .*JSON/],
    ["an index of null", writeIndex(null), /expected weight_map to name files/],
    ["an index without a map", writeIndex({ metadata: {} }), /expected weight_map to name files/],
    ["an empty map", writeIndex({ weight_map: {} }), /weight_map to name files.*found \{\}/],
    ["numbers as files", writeIndex({ weight_map: { a: 1 } }), /weight_map.*found 1/],
    ["a path", writeIndex({ weight_map: { a: "../x" } }), /weight_map.*found "\.\.\/x"/],
    ["an empty name", writeIndex({ weight_map: { a: "" } }), /weight_map.*found ""/],
    ["a missing shard", (d) => rm(join(d, shard)), /00002-of-00005\.safetensors: ENOENT/],
    ["a truncated shard", (d) => truncate(join(d, shard), 20_000), /00002-of-00005.*expected/],
    ["an empty shard", (d) => truncate(join(d, shard), 0), /at least 8 bytes, found 0/],
    [
      "a folder as shard",
      async (d) => {
        await rm(join(d, shard));
        await mkdir(join(d, shard));
      },
      /00002-of-00005\.safetensors: expected a file, found a folder/,
    ],
    [
      "a shard that the index does not name",
      async (d) => {
        const json = JSON.parse(await readFile(join(d, index), "utf8")) as {
          weight_map: Record<string, string>;
        };
        const kept = Object.entries(json.weight_map).filter(([, file]) => file !== shard);
        await writeIndex({ weight_map: Object.fromEntries(kept) })(d);
      },
      /missing tensor model\.layers/,
    ],
    [
      "the same shard twice",
      async (d) => {
        await cp(join(d, shard), join(d, "copy.safetensors"));
        await writeIndex({ weight_map: { a: shard, b: "copy.safetensors" } })(d);
      },
      /appears twice/,
    ],
  ])("with %s gives a CheckpointError", async (_, change, message) => {
    const error = await refused(change);
    expect(error.message).toMatch(message);
    expect(error).toBeInstanceOf(CheckpointError);
  });
});

describe("saveCheckpoint", () => {
  async function resave(from: string, options: Omit<SaveOptions, "config" | "read">) {
    const model = await loadModel(from);
    await saveModel(join(folder, "again"), model, options);
    model.dispose();
  }

  it("leaves nothing of an earlier checkpoint that would be read instead", async () => {
    const again = join(folder, "again");
    await resave(source, {});
    expect(await readdir(again)).toEqual(["config.json", "model.safetensors"]);
    await resave(source, { maxShardBytes: 100_000 });
    const files = await readdir(again);
    expect(files).not.toContain("model.safetensors");
    expect(files).toContain(index);
    await resave(again, { maxShardBytes: 60_000 });
    const written = JSON.parse(await readFile(join(again, index), "utf8")) as {
      weight_map: Record<string, string>;
    };
    const named = [...new Set(Object.values(written.weight_map)), index, "config.json"];
    expect((await readdir(again)).toSorted()).toEqual(named.toSorted());
    await resave(again, {});
    expect(await readdir(again)).toEqual(["config.json", "model.safetensors"]);
  });

  it("keeps float16 weights to 11 bits", async () => {
    const again = join(folder, "again");
    await resave(source, { type: "float16" });
    const [before, after] = [await loadModel(source), await loadModel(again)];
    for (const [name, weight] of before.parameters) {
      const found = after.parameters.get(name)!.dataSync();
      const near = (value: number, i: number): boolean =>
        Math.abs(found[i]! - value) <= Math.max(Math.abs(value) * 2 ** -11, 2 ** -25);
      expect((weight.dataSync() as Float32Array).every(near)).toBe(true);
    }
    before.dispose();
    after.dispose();
  });

  it("refuses values that do not fill the shape, and leaves no file", async () => {
    const target = join(folder, "short");
    const config = await readConfig(source);
    const read = (): Float32Array => new Float32Array(3);
    await expect(saveCheckpoint(target, { config, read })).rejects.toThrow(
      /embed_tokens\.weight: expected 3840 values for \[96,40\], found 3/,
    );
    await expect(saveCheckpoint(target, { config, read })).rejects.toThrow(CheckpointError);
    expect(await readdir(target)).toEqual([]);
  });

  it("reports a file that cannot be written", async () => {
    const values = (): Float32Array => Float32Array.of(1);
    const tensor = { name: "a", shape: [1], type: "float32" as const, values };
    await expect(writeSafetensorsFile(join(folder, "no/such/file"), [tensor])).rejects.toThrow(
      /ENOENT/,
    );
  });
});
