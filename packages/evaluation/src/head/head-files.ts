import { join } from "node:path";
import { readSafetensorsFile } from "@levin/model/node";
import { saveParameters } from "@levin/training/node";
import * as tf from "@tensorflow/tfjs-core";
import { AnswerHead, type Pooling } from "./answer-head.ts";

const file = "head.safetensors";

/** Writes a head to `head.safetensors` in a folder. */
export async function saveHead(folder: string, head: AnswerHead): Promise<void> {
  await saveParameters(join(folder, file), head);
}

/** Reads what {@link saveHead} wrote. Throws CheckpointError. */
export async function loadHead(folder: string, pooling: Pooling): Promise<AnswerHead> {
  const tensors = await readSafetensorsFile(join(folder, file));
  const parameters = new Map<string, tf.Variable>();
  for (const [name, { shape, values }] of tensors) {
    parameters.set(
      name,
      tf.tidy(() => tf.variable(tf.tensor(values, shape))),
    );
  }
  return new AnswerHead({ pooling, parameters });
}
