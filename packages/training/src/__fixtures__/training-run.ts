/**
 * Trains the tiny model: `training-run.ts DIRECTORY STEPS [STEP MILLISECONDS]`, from the newest
 * checkpoint there. So long after it began to save that step it is killed: by itself, as another
 * process may come too late on a busy machine.
 */
import { selectBackend } from "@levin/kernels/node";
import type * as tf from "@tensorflow/tfjs-core";
import { createAdamWState } from "../adamw.ts";
import { trainableModel } from "../trainable-model.ts";
import { train } from "../trainer.ts";
import { loadTrainingCheckpoint, saveTrainingCheckpoint } from "../training-checkpoint.ts";
import { countingExamples } from "./counting-examples.ts";
import { tinyModel } from "./tiny-model.ts";

const [directory, steps, killAt, delay] = process.argv.slice(2) as [string, ...string[]];
await selectBackend("wasm");
const { model, state } = (await loadTrainingCheckpoint(directory)) ?? fresh();

function fresh(): NonNullable<Awaited<ReturnType<typeof loadTrainingCheckpoint>>> {
  const started = tinyModel();
  return { model: started, state: createAdamWState(started.parameters) };
}

console.log(`from ${state.step}`);
await train(trainableModel(model), state, {
  schedule: { peak: 0.01, warmupSteps: 3, totalSteps: Number(steps) },
  maxBatchTokens: 20,
  examples: countingExamples,
  onStep: async ({ step }) => {
    if (step === Number(killAt)) {
      setTimeout(() => process.kill(process.pid, "SIGKILL"), Number(delay));
    }
    await saveTrainingCheckpoint(directory, model, state);
  },
});
const bytes = [...model.parameters.values(), ...state.first.values(), ...state.second.values()].map(
  (tensor: tf.Tensor) => Buffer.from(tensor.dataSync<"float32">().slice().buffer).toString("base64"),
);
console.log(`done ${bytes.join()}`);
