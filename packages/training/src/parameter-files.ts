import { CheckpointError } from "@levin/model";
import { readSafetensorsFile, writeSafetensorsFile } from "@levin/model/node";
import * as tf from "@tensorflow/tfjs-core";

type TensorsToWrite = Parameters<typeof writeSafetensorsFile>[1];

/** A model, or anything else that has parameters. */
export interface Parametrised {
  readonly parameters: ReadonlyMap<string, tf.Tensor>;
}

/** Tensors as they are written to a file, exactly. */
export function float32Tensors(
  tensors: ReadonlyMap<string, tf.Tensor>,
  prefix = "",
): TensorsToWrite {
  return [...tensors].map(([name, tensor]) => ({
    name: prefix + name,
    shape: tensor.shape,
    type: "float32" as const,
    values: async () => (await tensor.data()) as Float32Array,
  }));
}

/** Writes all parameters of a model to one safetensors file; it appears only when it is whole. */
export async function saveParameters(path: string, model: Parametrised): Promise<void> {
  await writeSafetensorsFile(path, float32Tensors(model.parameters));
}

/**
 * Gives a model, whose parameters must be variables, those of a file of {@link saveParameters}.
 *
 * @throws CheckpointError when one is missing or has another shape; the model is left as it was then
 */
export async function restoreParameters(path: string, model: Parametrised): Promise<void> {
  const found = await readSafetensorsFile(path);
  for (const [name, { shape }] of model.parameters) {
    const { shape: other } = found.get(name) ?? {};
    if (other?.join() === shape.join()) continue;
    throw new CheckpointError(
      `${path}: expected ${name} [${shape}], found ${other ? `[${other}]` : "none"}`,
    );
  }
  tf.tidy(() => {
    for (const [name, parameter] of model.parameters) {
      const { values, shape } = found.get(name)!;
      (parameter as tf.Variable).assign(tf.tensor(values, shape));
    }
  });
}
