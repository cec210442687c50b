import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { CausalLanguageModel } from "@levin/model";
import { loadModel, readSafetensorsFile, saveModel, writeSafetensorsFile } from "@levin/model/node";
import * as tf from "@tensorflow/tfjs-core";
import { disposeAdamWState, type AdamWState } from "./adamw.ts";
import { LoraAdapter } from "./lora/lora-adapter.ts";
import { loadLora, saveLora } from "./lora/lora-files.ts";
import {
  float32Tensors,
  restoreParameters,
  saveParameters,
  type Parametrised,
} from "./parameter-files.ts";

/** Finished checkpoints that are kept. */
const kept = 2;
const folderName = /^step-(\d+)$/;
const unfinishedName = /^\.step-\d+\.tmp$/;
const headFile = "head.safetensors";

/** Raised when a checkpoint is broken, was written with other settings, or can't be written. */
export class TrainingCheckpointError extends Error {
  override readonly name = "TrainingCheckpointError";
}

/** A model or an adapter with a head of its own beside it. */
export interface TrainedWithHead {
  trained: CausalLanguageModel | LoraAdapter;
  /** Its parameters have other names. */
  head: Parametrised;
}

/** What decides the course of a training, such as seed and schedule: plain JSON. */
export type TrainingSettings = Readonly<Record<string, unknown>>;

/**
 * Writes a model, or an adapter alone, with moments and step to `directory/step-N`, and a head if
 * there is one. The folder appears under its name only when all is on disk, so a kill at any moment
 * leaves the checkpoint before.
 *
 * @param settings are compared on load
 * @returns the folder
 * @throws TrainingCheckpointError when the disk refuses it, full for example; the one before stays
 */
export async function saveTrainingCheckpoint(
  directory: string,
  trained: CausalLanguageModel | LoraAdapter | TrainedWithHead,
  state: AdamWState,
  settings?: TrainingSettings,
): Promise<string> {
  const name = `step-${String(state.step).padStart(7, "0")}`;
  const target = join(directory, name);
  const temporary = join(directory, `.${name}.tmp`);
  try {
    await removeAll(directory, await names(directory, unfinishedName));
    await writeAll(temporary, trained, state, settings);
    await rm(target, { recursive: true, force: true });
    await rename(temporary, target);
    await removeAll(directory, (await names(directory, folderName)).slice(0, -kept));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new TrainingCheckpointError(`${target}: can't be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return target;
}

async function writeAll(
  temporary: string,
  what: CausalLanguageModel | LoraAdapter | TrainedWithHead,
  state: AdamWState,
  settings: TrainingSettings | undefined,
): Promise<void> {
  const { trained, head } = "head" in what ? what : { trained: what };
  await mkdir(temporary, { recursive: true });
  await (trained instanceof LoraAdapter
    ? saveLora(temporary, trained)
    : saveModel(temporary, trained));
  if (head) await saveParameters(join(temporary, headFile), head);
  const moments = (["first", "second"] as const).flatMap((moment) =>
    float32Tensors(state[moment], `${moment}.`),
  );
  await writeSafetensorsFile(join(temporary, "optimizer.safetensors"), moments);
  await writeFile(join(temporary, "training.json"), JSON.stringify({ step: state.step, settings }));
}

/**
 * The newest finished checkpoint, or undefined when there is none.
 *
 * @param settings if given, must equal those that it was written with
 * @param head given the parameters that one had beside the model
 * @throws TrainingCheckpointError, or CheckpointError and ConfigError of the model
 */
export async function loadTrainingCheckpoint(
  directory: string,
  settings?: TrainingSettings,
  head?: Parametrised,
): Promise<{ model: CausalLanguageModel; state: AdamWState } | undefined> {
  const found = await newestCheckpoint(directory, settings);
  if (found === undefined) return undefined;
  const model = await loadModel(found.folder, { trainable: true });
  return { model, state: await loadState(found, model, head) };
}

/**
 * The newest finished checkpoint of an adapter of `model`, or undefined when there is none.
 *
 * @throws TrainingCheckpointError, or LoraError and CheckpointError of the adapter
 */
export async function loadLoraCheckpoint(
  directory: string,
  model: CausalLanguageModel,
  settings?: TrainingSettings,
  head?: Parametrised,
): Promise<{ adapter: LoraAdapter; state: AdamWState } | undefined> {
  const found = await newestCheckpoint(directory, settings);
  if (found === undefined) return undefined;
  const adapter = await loadLora(found.folder, model);
  return { adapter, state: await loadState(found, adapter, head) };
}

interface FoundCheckpoint {
  folder: string;
  step: number;
}

async function newestCheckpoint(
  directory: string,
  settings: TrainingSettings | undefined,
): Promise<FoundCheckpoint | undefined> {
  const newest = (await names(directory, folderName)).at(-1);
  if (newest === undefined) return undefined;
  const folder = join(directory, newest);
  return { folder, step: await readStep(join(folder, "training.json"), settings) };
}

/** The optimiser's state, and the head; when something is broken, what was trained is disposed of. */
async function loadState(
  { folder, step }: FoundCheckpoint,
  trained: CausalLanguageModel | LoraAdapter,
  head: Parametrised | undefined,
): Promise<AdamWState> {
  const state: AdamWState = { step, first: new Map(), second: new Map() };
  try {
    if (head) await restoreParameters(join(folder, headFile), head);
    const moments = await readSafetensorsFile(join(folder, "optimizer.safetensors"));
    for (const moment of ["first", "second"] as const) {
      for (const [name, { shape }] of [...trained.parameters, ...(head?.parameters ?? [])]) {
        const found = moments.get(`${moment}.${name}`);
        if (found?.shape.join() !== shape.join()) {
          throw new TrainingCheckpointError(
            `${folder}: expected ${moment}.${name} [${shape}], found ${found ? `[${found.shape}]` : "none"}`,
          );
        }
        state[moment].set(name, tf.keep(tf.tensor(found.values, shape)));
      }
    }
  } catch (error) {
    trained.dispose();
    disposeAdamWState(state);
    throw error;
  }
  return state;
}

async function readStep(path: string, settings: TrainingSettings | undefined): Promise<number> {
  let json: { step?: unknown; settings?: TrainingSettings } | null;
  try {
    json = JSON.parse(await readFile(path, "utf8")) as typeof json;
  } catch (error) {
    throw new TrainingCheckpointError(`${path}: ${(error as Error).message}`, { cause: error });
  }
  const { step, settings: found } = json ?? {};
  if (!Number.isSafeInteger(step) || (step as number) < 0) {
    throw new TrainingCheckpointError(`${path}: expected a step ≥ 0, found ${String(step)}`);
  }
  if (settings !== undefined) expectSame(path, settings, found ?? {});
  return step as number;
}

function expectSame(path: string, expected: TrainingSettings, found: TrainingSettings): void {
  const plain = JSON.parse(JSON.stringify(expected)) as TrainingSettings;
  const keys = [...new Set([...Object.keys(plain), ...Object.keys(found)])];
  const different = keys.filter((key) => !isDeepStrictEqual(plain[key], found[key]));
  if (different.length === 0) return;
  const list = different.map(
    (key) => `${key}: expected ${JSON.stringify(plain[key])}, found ${JSON.stringify(found[key])}`,
  );
  throw new TrainingCheckpointError(`${path}: written with other settings: ${list.join("; ")}`);
}

/** Entries of a directory that match, in order; none when there is no directory. */
async function names(directory: string, pattern: RegExp): Promise<string[]> {
  const all = await readdir(directory).catch(() => [] as string[]);
  return all.filter((name) => pattern.test(name)).toSorted();
}

async function removeAll(directory: string, entries: readonly string[]): Promise<void> {
  for (const entry of entries) await rm(join(directory, entry), { recursive: true, force: true });
}
