import { cp, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OutOfMemoryError, selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSafetensorsHeader } from "../checkpoint/safetensors-header.ts";
import {
  CheckpointError,
  ModelStateError,
  planStages,
  StagePlanError,
  toConfigJson,
  TokenBatchError,
} from "../index.ts";
import {
  fileSource,
  loadForGeneration,
  loadStagedModel,
  readConfig,
  StagedModel,
  StageError,
  type StagedState,
} from "../node.ts";
import { loadParameters } from "../load-model.ts";
import { StageRing } from "./stage-ring.ts";
import { Stage } from "./stage.ts";

const directory = join(import.meta.dirname, "../__fixtures__/parity/i_m1_layout");

beforeAll(() => selectBackend("wasm"));

const step = (model: StagedModel, state: StagedState): number[] =>
  tf.tidy(() => Array.from(model.advance(state, { ids: [[7]] }).dataSync()));

async function startRing(count: number): Promise<StageRing> {
  const config = await readConfig(directory);
  return StageRing.start({
    ...{ directory, config, backend: "wasm" },
    stages: planStages(config, count),
  });
}

describe("loading in stages", () => {
  it.each([0, -1, 1.5, 6])("refuses %d stages of five layers", async (stages) => {
    await expect(loadForGeneration(directory, { stages })).rejects.toThrow(StagePlanError);
    await expect(loadForGeneration(directory, { stages })).rejects.toThrow(/from 1 to 5 .* found/);
  });

  it("refuses at once a stage that is more than a memory", async () => {
    const folder = await mkdtemp(join(tmpdir(), "levin-stages-"));
    const config = await readConfig(directory);
    const large = toConfigJson({ ...config, vocabSize: 2 ** 26, eosTokenId: [] });
    await writeFile(join(folder, "config.json"), JSON.stringify(large));
    const loading = loadForGeneration(folder);
    await expect(loading).rejects.toThrow(StagePlanError);
    await expect(loading).rejects.toThrow(
      /stage 1 of 3 \(layer 0\): expected less than 4 GiB of weights, found 8\.0/,
    );
    await rm(folder, { recursive: true });
  });

  it("says of which stage a weight is no number, and ends the others", async () => {
    const broken = await mkdtemp(join(tmpdir(), "levin-stages-"));
    await cp(directory, broken, { recursive: true });
    const path = join(broken, "model.safetensors");
    const source = await fileSource(path);
    const entry = (await readSafetensorsHeader(source)).find(({ name }) =>
      name.startsWith("model.layers.4.self_attn.qkv_proj"),
    )!;
    await source.close();
    const file = await open(path, "r+");
    await file.write(new Uint8Array(entry.byteLength).fill(255), 0, entry.byteLength, entry.offset);
    await file.close();
    const loading = loadStagedModel(broken, { stages: 2 });
    await expect(loading).rejects.toThrow(CheckpointError);
    await expect(loading).rejects.toThrow(/stage 2 of 2 \(layers \d to 4\): .*expected finite/);
    await rm(broken, { recursive: true });
  });
});

describe("a stage that fails", () => {
  let model: StagedModel;
  beforeAll(async () => {
    model = await loadStagedModel(directory, { stages: 3 });
  });
  afterAll(() => model.dispose());

  it("runs out of memory by name, and the model goes on", () => {
    const state = model.createState(1);
    const expected = step(model, state);
    // Lightning matrices of one layer fill a memory, of which some is in use.
    const heads = model.config.numAttentionHeads * model.config.headDim ** 2;
    const rows = Math.floor(2 ** 32 / (4 * heads)) - 1;
    expect(() => model.createState(rows)).toThrow(OutOfMemoryError);
    expect(() => model.createState(rows)).toThrow(/stage 1 of 3 \(layer 0\): wasm backend/);
    const again = model.createState(1);
    expect(step(model, again)).toEqual(expected);
    state.dispose();
    again.dispose();
  });

  it("refuses bad tokens and bad states before anything moves", () => {
    const state = model.createState(1);
    const expected = step(model, state);
    const other = model.createState(1);
    expect(() => model.advance(other, { ids: [[1], [2]] })).toThrow(TokenBatchError);
    expect(() => model.advance(other, { ids: [[96]] })).toThrow(
      /expected ids in 0\.\.95, found 96/,
    );
    expect(() => other.regroup([1])).toThrow(/expected numbers in 0\.\.0, found 1/);
    expect(() => other.regroup([])).toThrow(ModelStateError);
    expect(() => model.deserializeState(new Uint8Array(9))).toThrow(ModelStateError);
    expect(step(model, other)).toEqual(expected);
    other.dispose();
    expect(() => step(model, other)).toThrow(/expected one in use, found one disposed of/);
    const broken = state.clone();
    broken.broken = true;
    expect(() => step(model, broken)).toThrow(ModelStateError);
    expect(() => state.regroup([0], [broken])).toThrow(ModelStateError);
    state.dispose();
    broken.dispose();
  });

  it.each([1, 2, 3])(
    "ends the model, by name, when thread %i of three is killed",
    async (which) => {
      const other = model.createState(1);
      const expected = step(model, other);
      const ring = await startRing(3);
      const killed = new StagedModel(model.config, ring);
      const state = killed.createState(1);
      expect(step(killed, state)).toEqual(expected);
      const ending = ring.workers[which - 1]!.terminate();
      // This thread does not leave its loop: it hears of the end while it waits for an answer.
      expect(() => {
        for (;;) step(killed, state);
      }).toThrow(StageError);
      expect(killed.isOpen).toBe(false);
      expect(() => step(killed, state.clone())).toThrow(
        new RegExp(`stage ${which} of 3 .*found its thread ended`),
      );
      await ending;
      state.dispose();
      await killed.dispose();
      const again = model.createState(1);
      expect(step(model, again)).toEqual(expected);
      for (const each of [other, again]) each.dispose();
    },
  );
});

describe("memory", () => {
  it("of states is free when they are disposed of", async () => {
    const config = await readConfig(directory);
    const parameters = await loadParameters(directory, config);
    const range = { from: 2, to: 5 };
    const stage = new Stage(config, parameters, range);
    const before = tf.memory().numTensors;
    const ask = (request: Parameters<Stage["handle"]>[0]["request"], output?: object) =>
      stage.handle({ request, byteLength: 0, length: 0, layers: [], ...output });
    const hidden = { values: new Float32Array(2 * 3 * config.hiddenSize).fill(0.5) };
    const output = { ...hidden, shape: [2, 3, config.hiddenSize] };
    ask({ kind: "create", state: 1, batch: 2 });
    ask(
      {
        kind: "advance",
        state: 1,
        tokens: {
          ids: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        },
      },
      { output },
    );
    ask({ kind: "clone", state: 2, of: 1 });
    ask({ kind: "regroup", state: 3, of: 1, rows: [1], others: [2] });
    expect(ask({ kind: "serialize", state: 3 }).layers).toHaveLength(3);
    expect(tf.memory().numTensors).toBeGreaterThan(before);
    for (const state of [1, 2, 3]) ask({ kind: "dispose", state });
    expect(tf.memory().numTensors).toBe(before);
    for (const tensor of parameters.values()) tensor.dispose();
  });

  it("of all stages returns to the machine when the model is disposed of", async () => {
    const model = await loadStagedModel(directory, { stages: 2 });
    const heads = model.config.numAttentionHeads * model.config.headDim ** 2;
    const before = process.memoryUsage.rss();
    // Four lightning layers of 50 MB.
    const state = model.createState(Math.ceil(5e7 / (4 * heads)));
    expect(process.memoryUsage.rss() - before).toBeGreaterThan(1.8e8);
    expect(state.byteLength).toBeGreaterThan(1.99e8);
    await model.dispose();
    expect(process.memoryUsage.rss() - before).toBeLessThan(5e7);
    expect(() => model.createState(1)).toThrow(/found one disposed of/);
  });
});
