import { join } from "node:path";
import { readSafetensorsFile, writeSafetensorsFile } from "@levin/model/node";
import * as tf from "@tensorflow/tfjs-core";
import { AnswerHead, type Pooling } from "./answer-head.ts";

const file = "head.safetensors";

/** Writes a head to `head.safetensors` in a folder. */
export async function saveHead(folder: string, head: AnswerHead): Promise<void> {
  const tensors = [...head.parameters].map(([name, tensor]) => ({
    name,
    shape: tensor.shape,
    type: "float32" as const,
    values: async () => (await tensor.data()) as Float32Array,
  }));
  await writeSafetensorsFile(join(folder, file), tensors);
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
