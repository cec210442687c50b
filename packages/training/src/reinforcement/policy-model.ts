import { tokenCrossEntropy, type CausalLanguageModel } from "@levin/model";
import { loadBalancingLoss } from "@levin/moe";
import * as tf from "@tensorflow/tfjs-core";
import type { Trainable } from "../gradients.ts";
import { importanceWeights, policyLoss, type Clipping } from "./policy-loss.ts";
import type { RolloutBatch } from "./rollout-batches.ts";

/** Means over the tokens that the policy chose. */
export type PolicyFigure =
  | "policy"
  | "loadBalancing"
  /** Of tokens whose importance weight left its bounds. */
  | "clippedShare"
  /** Distance of the importance weight from 1; what differs between drawing and training when on policy. */
  | "weightDeviation";

/** A language model whose answers are to earn more, with the router's loss as in supervised training. */
export function policyModel(
  model: CausalLanguageModel,
  clipping: Clipping,
): Trainable<RolloutBatch, PolicyFigure> {
  return {
    parameters: model.parameters as ReadonlyMap<string, tf.Variable>,
    losses: ({ ids, mask, labels, oldLogProbabilities, advantages, targets }) => {
      const { logits, routers } = model.forward({ ids });
      const tokens = {
        logProbabilities: tf.neg(tokenCrossEntropy(logits, labels)) as tf.Tensor1D,
        oldLogProbabilities: tf.tensor1d(nextOf(oldLogProbabilities)),
        advantages: tf.tensor1d(nextOf(advantages)),
      };
      // A batch may hold nothing but forced tokens.
      const mean = (values: tf.Tensor): tf.Scalar => tf.div(tf.sum(values), Math.max(1, targets));
      const weights = importanceWeights(tokens);
      const outside = tf.logicalOr(
        tf.greater(weights, 1 + clipping.high),
        tf.less(weights, 1 - clipping.low),
      );
      const policy = mean(policyLoss(tokens, clipping));
      const loadBalancing = loadBalancingLoss(routers, tf.tensor2d(mask));
      return {
        policy,
        loadBalancing,
        clippedShare: mean(tf.cast(outside, "float32")),
        weightDeviation: mean(tf.abs(tf.sub(weights, 1))),
        total: tf.add(policy, tf.mul(loadBalancing, model.config.routerAuxLossCoef)) as tf.Scalar,
      };
    },
  };
}

/** Figures of the token behind each position; 0 behind the last. */
function nextOf(rows: readonly (readonly number[])[]): number[] {
  return rows.flatMap((row) => [...row.slice(1), 0]);
}
