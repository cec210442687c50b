import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  AnswerHead,
  fineTuneHead,
  headAnswerer,
  headExamples,
  headParameters,
  type Answerer,
  type BenchmarkTask,
  type Encode,
  type Item,
  type Pooling,
} from "@levin/evaluation";
import { loadHead, saveHead } from "@levin/evaluation/node";
import { selectBackend } from "@levin/kernels/node";
import type { CausalLanguageModel } from "@levin/model";
import { loadModel, readConfig, saveModel } from "@levin/model/node";
import {
  createAdamWState,
  createLora,
  disposeAdamWState,
  mergeLora,
  type AdamWState,
  type LoraAdapter,
} from "@levin/training";
import {
  loadLoraCheckpoint,
  loadTrainingCheckpoint,
  saveLora,
  saveTrainingCheckpoint,
} from "@levin/training/node";
import { writeFolderWhole } from "../training/write-whole.ts";
import { SuiteSettingsError, type SuiteSettings } from "./suite-settings.ts";

export interface HeadPlan {
  task: BenchmarkTask;
  /** Where the head and its model are kept once they have learned. */
  folder: string;
  /** The model to start from. */
  directory: string;
  encode: Encode;
  settings: SuiteSettings;
  /** All that decides what is learned. */
  decisive: Readonly<Record<string, unknown>>;
  training: readonly Item[];
  onStep: (step: number, steps: number, loss: number) => void;
  signal: AbortSignal;
}

/**
 * Makes sure that a task has a head that has learned, or goes on where an earlier process stopped. Its
 * folder appears when all is learned, in place of the checkpoints beside it.
 *
 * @returns whether it has learned: not after an abort
 * @throws SuiteSettingsError when the folder was learned with other settings, TrainingCheckpointError
 *   when a checkpoint was
 */
export async function learnHead(plan: HeadPlan): Promise<boolean> {
  const known = await readFile(join(plan.folder, "head.json"), "utf8").catch(() => undefined);
  if (known !== undefined) expectSame(plan, JSON.parse(known));
  else if (!(await learn(plan))) return false;
  await rm(checkpointsOf(plan), { recursive: true, force: true });
  return true;
}

function checkpointsOf({ folder }: HeadPlan): string {
  return `${folder}.checkpoints`;
}

/** Answers by the head in a folder, which has learned. */
export async function headAnswers(
  task: BenchmarkTask,
  { folder, pooling, maxLength }: { folder: string; pooling: Pooling; maxLength: number },
  { encode, backend }: { encode: Encode; backend: string },
): Promise<Answerer> {
  await selectBackend(backend, { otherwise: console.error });
  const model = await loadModel(join(folder, "model"));
  const head = await loadHead(folder, pooling);
  return {
    ...headAnswerer(model, head, task, { encode, maxTokens: maxLength }),
    dispose: () => {
      model.dispose();
      head.dispose();
    },
  };
}

async function learn(plan: HeadPlan): Promise<boolean> {
  const { task, settings, signal } = plan;
  const { epochs, batchSize: examplesPerStep, maxLength: maxTokens, seed } = settings;
  const examples = headExamples(task, plan.training, { encode: plan.encode, maxTokens });
  const steps = settings.steps ?? Math.ceil((epochs * examples.length) / examplesPerStep);
  await selectBackend(settings.backend, { otherwise: console.error });
  const { model, head, adapter, state } = await openHead(plan);
  const trained = adapter ?? model;
  const save = async (): Promise<void> => {
    await saveTrainingCheckpoint(checkpointsOf(plan), { trained, head }, state, plan.decisive);
  };
  try {
    await fineTuneHead(model, head, examples, {
      ...{ kind: task.kind, steps, examplesPerStep, peak: settings.learningRate, seed },
      ...{ adapter, state, signal, checkpoints: { every: settings.checkpointEvery, save } },
      onStep: ({ step, loss }) => plan.onStep(step, steps, loss),
    });
    if (state.step < steps) return false;
    await saveLearned(plan, model, head, adapter);
    return true;
  } finally {
    disposeAdamWState(state);
    adapter?.dispose();
    head.dispose();
    model.dispose();
  }
}

interface HeadInTraining {
  model: CausalLanguageModel;
  head: AnswerHead;
  adapter?: LoraAdapter;
  state: AdamWState;
}

/** A head with what is trained below it: those of the newest checkpoint, or new ones. */
async function openHead(plan: HeadPlan): Promise<HeadInTraining> {
  const { directory, decisive, task } = plan;
  const { lora: rank, pooling, seed } = plan.settings;
  const checkpoints = checkpointsOf(plan);
  const { hiddenSize } = await readConfig(directory);
  const head = AnswerHead.create(hiddenSize, task.kind, pooling);
  if (rank === undefined) {
    const found = await loadTrainingCheckpoint(checkpoints, decisive, head);
    if (found) return { ...found, head };
    const model = await loadModel(directory, { trainable: true });
    return { model, head, state: createAdamWState(headParameters(model, head)) };
  }
  const model = await loadModel(directory);
  const found = await loadLoraCheckpoint(checkpoints, model, decisive, head);
  if (found) return { ...found, model, head };
  const adapter = createLora(model, { rank, seed });
  const state = createAdamWState(headParameters(model, head, adapter));
  return { model, head, adapter, state };
}

async function saveLearned(
  { folder, decisive }: HeadPlan,
  model: CausalLanguageModel,
  head: AnswerHead,
  adapter: LoraAdapter | undefined,
): Promise<void> {
  const merged = adapter ? mergeLora(model, adapter) : model;
  await mkdir(join(folder, ".."), { recursive: true });
  await writeFolderWhole(folder, async (temporary) => {
    await saveHead(temporary, head);
    await saveModel(join(temporary, "model"), merged);
    if (adapter) await saveLora(join(temporary, "adapter"), adapter);
    await writeFile(join(temporary, "head.json"), JSON.stringify(decisive));
  });
  if (adapter) merged.dispose();
}

function expectSame({ folder, decisive }: HeadPlan, found: unknown): void {
  const expected: unknown = JSON.parse(JSON.stringify(decisive));
  if (isDeepStrictEqual(found, expected)) return;
  throw new SuiteSettingsError(
    `${folder}: expected a head learned with ${JSON.stringify(expected)}, found ${JSON.stringify(found)}; ` +
      "another --output lets this one be learned",
  );
}
