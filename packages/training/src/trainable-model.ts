import { languageModelLosses, type CausalLanguageModel } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import type { Trainable } from "./gradients.ts";

/** A language model whose parameters are variables, with its cross entropy and router loss. */
export function trainableModel(model: CausalLanguageModel): Trainable {
  return {
    parameters: model.parameters as ReadonlyMap<string, tf.Variable>,
    losses: ({ ids, mask, labels }) => {
      // Attention never looks right, so only the router's loss needs to know the padding.
      const result = model.forward({ ids });
      return languageModelLosses(
        { ...result, mask: maskTensor(mask) },
        labels,
        model.config.routerAuxLossCoef,
      );
    },
  };
}

function maskTensor(mask: number[][]): tf.Tensor2D {
  return tf.tensor2d(mask, [mask.length, mask[0]!.length], "float32");
}
