import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  AnswerHead,
  fineTuneHead,
  headAnswerer,
  headExamples,
  type Answerer,
  type BenchmarkTask,
  type Encode,
  type Item,
  type Pooling,
} from "@levin/evaluation";
import { loadHead, saveHead } from "@levin/evaluation/node";
import { selectBackend } from "@levin/kernels/node";
import type { CausalLanguageModel } from "@levin/model";
import { loadModel, saveModel } from "@levin/model/node";
import { createLora, mergeLora } from "@levin/training";
import { saveLora } from "@levin/training/node";
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
}

/**
 * Makes sure that a task has a head that has learned. Its folder appears when all is learned: a kill
 * before costs the training of this one task.
 *
 * @throws SuiteSettingsError when the folder was learned with other settings
 */
export async function learnHead(plan: HeadPlan): Promise<void> {
  const known = await readFile(join(plan.folder, "head.json"), "utf8").catch(() => undefined);
  if (known !== undefined) expectSame(plan, JSON.parse(known));
  else await learn(plan);
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

async function learn(plan: HeadPlan): Promise<void> {
  const { task, settings, folder } = plan;
  const { lora, pooling, batchSize, epochs, learningRate, seed, maxLength } = settings;
  const examples = headExamples(task, plan.training, { encode: plan.encode, maxTokens: maxLength });
  await selectBackend(settings.backend, { otherwise: console.error });
  const steps = settings.steps ?? Math.ceil((epochs * examples.length) / batchSize);
  const model = await loadModel(plan.directory, { trainable: lora === undefined });
  const head = AnswerHead.create(model.config.hiddenSize, task.kind, pooling);
  const adapter = lora === undefined ? undefined : createLora(model, { rank: lora, seed });
  try {
    await fineTuneHead(model, head, examples, {
      ...{ kind: task.kind, steps, examplesPerStep: batchSize, peak: learningRate, seed, adapter },
      onStep: ({ step, loss }) => plan.onStep(step, steps, loss),
    });
    const merged: CausalLanguageModel = adapter ? mergeLora(model, adapter) : model;
    await mkdir(join(folder, ".."), { recursive: true });
    await writeFolderWhole(folder, async (temporary) => {
      await saveHead(temporary, head);
      await saveModel(join(temporary, "model"), merged);
      if (adapter) await saveLora(join(temporary, "adapter"), adapter);
      await writeFile(join(temporary, "head.json"), JSON.stringify(plan.decisive));
    });
    if (adapter) merged.dispose();
  } finally {
    adapter?.dispose();
    head.dispose();
    model.dispose();
  }
}

function expectSame({ folder, decisive }: HeadPlan, found: unknown): void {
  const expected: unknown = JSON.parse(JSON.stringify(decisive));
  if (isDeepStrictEqual(found, expected)) return;
  throw new SuiteSettingsError(
    `${folder}: expected a head learned with ${JSON.stringify(expected)}, found ${JSON.stringify(found)}; ` +
      "another --output lets this one be learned",
  );
}
