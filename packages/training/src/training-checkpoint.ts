import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CausalLanguageModel } from "@levin/model";
import { loadModel, readSafetensorsFile, saveModel, writeSafetensorsFile } from "@levin/model/node";
import * as tf from "@tensorflow/tfjs-core";
import type { AdamWState } from "./adamw.ts";

/** Finished checkpoints that are kept. */
const kept = 2;
const folderName = /^step-(\d+)$/;

/**
 * Writes model, moments and step to `directory/step-N`. The folder appears under its name only when
 * all is on disk, so a kill at any moment leaves the checkpoint before.
 */
export async function saveTrainingCheckpoint(
  directory: string,
  model: CausalLanguageModel,
  state: AdamWState,
): Promise<string> {
  const name = `step-${String(state.step).padStart(7, "0")}`;
  const target = join(directory, name);
  const temporary = join(directory, `.${name}.tmp`);
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  await saveModel(temporary, model);
  const moments = (["first", "second"] as const).flatMap((moment) =>
    [...state[moment]].map(([parameter, tensor]) => ({
      name: `${moment}.${parameter}`,
      shape: tensor.shape,
      type: "float32" as const,
      values: async () => (await tensor.data()) as Float32Array,
    })),
  );
  await writeSafetensorsFile(join(temporary, "optimizer.safetensors"), moments);
  await writeFile(join(temporary, "training.json"), JSON.stringify({ step: state.step }));
  await rm(target, { recursive: true, force: true });
  await rename(temporary, target);
  for (const old of (await finished(directory)).slice(0, -kept)) {
    await rm(join(directory, old), { recursive: true, force: true });
  }
  return target;
}

/** The newest finished checkpoint, or undefined when there is none. */
export async function loadTrainingCheckpoint(
  directory: string,
): Promise<{ model: CausalLanguageModel; state: AdamWState } | undefined> {
  const newest = (await finished(directory)).at(-1);
  if (newest === undefined) return undefined;
  const folder = join(directory, newest);
  const model = await loadModel(folder, { trainable: true });
  const { step } = JSON.parse(await readFile(join(folder, "training.json"), "utf8")) as {
    step: number;
  };
  const state: AdamWState = { step, first: new Map(), second: new Map() };
  const moments = await readSafetensorsFile(join(folder, "optimizer.safetensors"));
  for (const [name, { shape, values }] of moments) {
    const [moment, ...parameter] = name.split(".") as ["first" | "second", ...string[]];
    state[moment].set(parameter.join("."), tf.keep(tf.tensor(values, shape)));
  }
  return { model, state };
}

async function finished(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [] as string[]);
  return names.filter((name) => folderName.test(name)).toSorted();
}
