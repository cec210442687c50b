import { linear } from "@levin/kernels";
import { CausalLanguageModel } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import type { Trainable } from "../gradients.ts";
import { factorName, type LoraAdapter, type LoraFactor } from "./lora-adapter.ts";
import { expectFits } from "./lora-shapes.ts";

/**
 * An adapter as what is trained: its factors are the only parameters, the losses are those of the
 * model with its changes. The model's weights stay as they are.
 *
 * @param objective what is to be trained of a whole model, such as `trainableModel`
 * @throws LoraError when the adapter does not fit the model
 */
export function loraModel<Batch extends { targets: number }, Loss extends string>(
  model: CausalLanguageModel,
  adapter: LoraAdapter,
  objective: (model: CausalLanguageModel) => Trainable<Batch, Loss>,
): Trainable<Batch, Loss> {
  expectFits(model, adapter);
  return {
    parameters: adapter.parameters,
    losses: (batch) =>
      objective(
        new CausalLanguageModel(
          model.config,
          new Map([...model.parameters, ...Object.entries(changedMatrices(model, adapter))]),
        ),
      ).losses(batch),
  };
}

/**
 * A model with the adapter folded into its weights, as fast as any other. It shares the memory of the
 * matrices that the adapter leaves alone, and can be disposed of without harm to `model`, whose
 * weights are not touched.
 *
 * @throws LoraError when the adapter does not fit the model
 */
export function mergeLora(model: CausalLanguageModel, adapter: LoraAdapter): CausalLanguageModel {
  expectFits(model, adapter);
  const changed = tf.tidy(() => changedMatrices(model, adapter));
  return new CausalLanguageModel(
    model.config,
    new Map(
      [...model.parameters].map(([name, tensor]) => [name, changed[name] ?? tf.clone(tensor)]),
    ),
  );
}

/** W + alpha/rank · B · A of each changed matrix, by its on-disk name. */
function changedMatrices(
  { parameters }: CausalLanguageModel,
  { modules, parameters: factors, alpha, rank }: LoraAdapter,
): Record<string, tf.Tensor> {
  return Object.fromEntries(
    modules.map((module) => {
      const factor = (of: LoraFactor): tf.Tensor => factors.get(factorName(module, of))!;
      const change = linear(factor("lora_B"), tf.transpose(factor("lora_A")));
      const name = `${module}.weight`;
      return [name, tf.add(parameters.get(name)!, tf.mul(change, alpha / rank))];
    }),
  );
}
