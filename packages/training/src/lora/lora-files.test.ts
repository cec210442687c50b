import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { selectBackend } from "@levin/kernels/node";
import { CausalLanguageModel, CheckpointError, type NamedArray } from "@levin/model";
import { loadModel, readSafetensorsFile } from "@levin/model/node";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tinyModel } from "../__fixtures__/tiny-model.ts";
import { batchExamples } from "../example.ts";
import { accumulateGradients } from "../gradients.ts";
import { trainableModel } from "../trainable-model.ts";
import { createLora } from "./create-lora.ts";
import { LoraError } from "./lora-adapter.ts";
import { loadLora, saveLora } from "./lora-files.ts";
import { loraModel, mergeLora } from "./lora-model.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lora-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe.each(["cpu", "wasm"])("an adapter of PEFT on %s", (backend) => {
  const fixtures = fileURLToPath(new URL("../__fixtures__/peft", import.meta.url));
  const base = fileURLToPath(
    new URL("../../../model/src/__fixtures__/parity/a_mix_lllf", import.meta.url),
  );

  /** Largest difference between a tensor and golden values, over the largest of these. */
  function errorOf(found: tf.Tensor, golden: NamedArray): number {
    const expected = tf.tensor(golden.values, golden.shape);
    const error = tf.max(tf.abs(tf.sub(found, expected))).dataSync()[0]!;
    return error / tf.max(tf.abs(expected)).dataSync()[0]!;
  }

  it("gives PyTorch's logits and gradients", async () => {
    await selectBackend(backend);
    const golden = await readSafetensorsFile(join(fixtures, "golden.safetensors"));
    const model = await loadModel(base);
    const adapter = await loadLora(fixtures, model);
    const ids = [...golden.get("ids")!.values];
    const { logits } = mergeLora(model, adapter).forward({ ids: [ids] });
    expect(errorOf(logits, golden.get("logits")!)).toBeLessThan(1e-5);
    const example = { ids, learned: ids.map(() => 1) };
    // PEFT's loss has no part of the routers.
    const withoutRouters = new CausalLanguageModel(
      { ...model.config, routerAuxLossCoef: 0 },
      model.parameters,
    );
    const { gradients } = await accumulateGradients(
      loraModel(withoutRouters, adapter, trainableModel),
      batchExamples([example], 100),
    );
    expect(gradients.size).toBe(8);
    for (const [name, gradient] of gradients) {
      expect(errorOf(gradient, golden.get(`base_model.model.${name}`)!)).toBeLessThan(1e-4);
    }
  });
});

describe("adapter files", () => {
  beforeAll(() => tf.setBackend("cpu"));

  const model = (): ReturnType<typeof tinyModel> => tinyModel();

  it("are what PEFT names them, and give the adapter back", async () => {
    const adapter = createLora(model(), { rank: 3, alpha: 5, seed: 9 });
    await saveLora(directory, adapter, { baseModel: "spark" });
    const tensors = await readSafetensorsFile(join(directory, "adapter_model.safetensors"));
    expect(tensors.get("base_model.model.model.layers.1.self_attn.o_proj.lora_B.weight")).toEqual(
      expect.objectContaining({ shape: [16, 3] }),
    );
    expect(
      JSON.parse(await readFile(join(directory, "adapter_config.json"), "utf8")),
    ).toMatchObject({ peft_type: "LORA", r: 3, lora_alpha: 5, base_model_name_or_path: "spark" });
    const loaded = await loadLora(directory, model());
    expect([loaded.rank, loaded.alpha, loaded.modules]).toEqual([3, 5, adapter.modules]);
    for (const [name, variable] of adapter.parameters) {
      expect(loaded.parameters.get(name)!.dataSync()).toEqual(variable.dataSync());
    }
  });

  it.each([
    ["{", /adapter_config.json: .*JSON/],
    ['{"r":0,"lora_alpha":1}', /expected r a whole number ≥ 1, found 0$/],
    ['{"r":3,"lora_alpha":"x"}', /expected lora_alpha a number > 0, found "x"$/],
    ['{"r":3,"lora_alpha":1,"use_dora":true}', /expected use_dora false, found true$/],
    [
      '{"r":3,"lora_alpha":1,"rank_pattern":{"k":1}}',
      /expected rank_pattern of none, found {"k":1}/,
    ],
    ['{"r":2,"lora_alpha":1}', /lora_A.weight: expected \[2,16\], found \[3,16\]$/],
  ])("with the config %s are refused", async (config, message) => {
    const base = model();
    const adapter = createLora(base, { rank: 3 });
    await saveLora(directory, adapter);
    await writeFile(join(directory, "adapter_config.json"), config);
    const before = tf.memory().numTensors;
    await expect(loadLora(directory, base)).rejects.toThrow(LoraError);
    await expect(loadLora(directory, base)).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("without weights are refused by name", async () => {
    await saveLora(directory, createLora(model()));
    await rm(join(directory, "adapter_model.safetensors"));
    await expect(loadLora(directory, model())).rejects.toThrow(CheckpointError);
  });
});
