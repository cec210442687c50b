import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError, type RunKernel } from "../kernel.ts";
import type { Routing } from "./route-top-experts.ts";

/** A router that chooses groups of experts before experts (DeepSeek-V3, arXiv 2412.19437, section 2.1.2). */
export interface GroupedRouting {
  /** Equal groups of experts that stand side by side, of two or more each. */
  groups: number;
  /** Groups that may give experts to a token. */
  groupsPerToken: number;
  /** Sum of the weights of a token's experts. */
  scale: number;
}

/** Where all chosen scores are 0. */
const smallestSum = 1e-20;

/** Farther below than any score with its bias. */
const beyond = 1e30;

type Attributes = { k: number } & Record<keyof GroupedRouting, number>;

const run: RunKernel<Attributes> = defineKernel<Attributes>({
  name: "LevinRouteByGroups",
  reference: ({ logits, bias }, attributes) => {
    const scores = tf.sigmoid(logits!);
    const experts = choose(tf.add(scores, bias!), attributes);
    const chosen = tf.sum(tf.mul(oneHot(experts, scores.shape[1]!), tf.expandDims(scores, 1)), 2);
    const total = tf.add(tf.sum(chosen, 1, true), smallestSum);
    return [experts, tf.mul(tf.div(chosen, total), attributes.scale)];
  },
  gradient: ([, upstream], { logits, bias }, attributes) => {
    const [experts] = run({ logits, bias }, attributes);
    const places = oneHot(experts!, logits!.shape[1]!);
    const scores = tf.sigmoid(logits!);
    const chosen = tf.sum(tf.mul(places, tf.expandDims(scores, 1)), 2);
    const total = tf.add(tf.sum(chosen, 1, true), smallestSum);
    const mean = tf.div(tf.sum(tf.mul(upstream!, chosen), 1, true), total);
    const ofChosen = tf.mul(tf.div(tf.sub(upstream!, mean), total), attributes.scale);
    const ofScores = tf.sum(tf.mul(places, tf.expandDims(ofChosen, 2)), 1);
    return {
      logits: tf.mul(ofScores, tf.mul(scores, tf.sub(1, scores))),
      // It only takes part in the choice.
      bias: tf.zerosLike(bias!),
    };
  },
});

/** The k best experts of the best groups, `[tokens, k]`. */
function choose(scores: tf.Tensor, { k, groups, groupsPerToken }: Attributes): tf.Tensor {
  const [tokens, count] = scores.shape as [number, number];
  const grouped = tf.reshape(scores, [tokens, groups, count / groups]);
  const best = tf.sum(tf.topk(grouped, 2).values, 2);
  const chosen = oneHot(tf.topk(best, groupsPerToken).indices, groups);
  // 0 in chosen groups; in others less than any score with its bias.
  const barrier = tf.sub(tf.sum(tf.mul(chosen, beyond), 1), beyond);
  const candidates = tf.reshape(tf.add(grouped, tf.expandDims(barrier, 2)), [tokens, count]);
  return tf.topk(candidates, k).indices;
}

function oneHot(indices: tf.Tensor, depth: number): tf.Tensor {
  // `oneHot` refuses a depth of one.
  if (depth === 1) return tf.ones([...indices.shape, 1]);
  return tf.cast(tf.oneHot(tf.cast(indices, "int32"), depth), "float32");
}

/**
 * Chooses k experts of each token by their sigmoid score plus a bias, out of the groups whose best two
 * have the greatest sum; ties prefer the lower index. The bias only takes part in the choice: weights are
 * the scores, brought to a sum of `scale`.
 *
 * @param logits `[tokens, experts]`
 * @param bias `[experts]`
 * @throws KernelShapeError when the experts are no groups of two or more, or k are not in the chosen groups
 */
export function routeByGroups(
  logits: tf.Tensor2D,
  bias: tf.Tensor,
  k: number,
  routing: GroupedRouting,
): Routing {
  const [, count] = logits.shape;
  const { groups, groupsPerToken } = routing;
  const size = count / groups;
  const fits =
    Number.isInteger(size) && size >= 2 && groupsPerToken >= 1 && groupsPerToken <= groups;
  if (!fits || !(k >= 1 && k <= groupsPerToken * size) || bias.shape.join() !== String(count)) {
    throw new KernelShapeError(
      "routeByGroups",
      `${count} experts in groups of two or more, as many biases, and k of the chosen groups`,
      `${groupsPerToken} of ${groups} groups, bias [${bias.shape}] and k ${k}`,
    );
  }
  const [experts, weights] = run({ logits, bias }, { k, ...routing }) as [tf.Tensor2D, tf.Tensor2D];
  return { experts, weights };
}
