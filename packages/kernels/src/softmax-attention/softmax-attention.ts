import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";
import { attentionWeights, gather, group, ungroup } from "./attention-weights.ts";
import { differentiable, softmaxAttentionGradient } from "./softmax-attention-gradient.ts";

/** Scores held at once; longer inputs are worked through in blocks of queries. */
const maxScores = 2 ** 24;
/** Queries of a block: each reads the keys up to its last query only, so short blocks skip more. */
const mostRows = 256;

/** How many tensors the keys, and the values, are cut into: inputs `keys.0`, `keys.1`, …. */
export type SoftmaxAttributes = { segments: number };

const run = defineKernel<SoftmaxAttributes>({
  name: "LevinSoftmaxAttention",
  reference: (inputs, attributes) => {
    const { queries, keys, values, mask } = gather(inputs, attributes);
    const [batch, heads, length, headDim] = queries.shape;
    const [, kvHeads, columns] = keys.shape;
    const rows = Math.min(mostRows, Math.max(1, Math.floor(maxScores / (batch * heads * columns))));
    const outputs: tf.Tensor4D[] = [];
    for (let start = 0; start < length; start += rows) {
      const size = Math.min(rows, length - start);
      outputs.push(
        tf.tidy(() => {
          const block = tf.slice4d(queries, [0, 0, start, 0], [batch, heads, size, headDim]);
          const seen = columns - length + start + size;
          const [seenKeys, seenValues] = [keys, values].map((x) =>
            tf.slice4d(x, [0, 0, 0, 0], [batch, kvHeads, seen, headDim]),
          ) as [tf.Tensor4D, tf.Tensor4D];
          const seenMask = mask && tf.slice2d(mask, [0, 0], [batch, seen]);
          const weights = attentionWeights(block, seenKeys, seenMask, size);
          return ungroup(tf.matMul(group(weights, kvHeads), seenValues), block.shape);
        }),
      );
    }
    return [outputs.length === 1 ? outputs[0]! : tf.concat(outputs, 2)];
  },
  gradient: ([upstream], inputs, attributes) => {
    const gradients = runGradient({ ...inputs, upstream }, attributes);
    return Object.fromEntries(differentiable(attributes).map((name, i) => [name, gradients[i]!]));
  },
});

const runGradient = defineKernel<SoftmaxAttributes>({
  name: "LevinSoftmaxAttentionGradient",
  reference: softmaxAttentionGradient,
});

/** Arguments of {@link softmaxAttention}. */
export interface SoftmaxAttentionOptions {
  /** `[batch, heads, length, headDim]`: the last `length` tokens of the sequence. */
  queries: tf.Tensor4D;
  /** `[batch, kvHeads, n, headDim]` each; together in order the keys of the whole sequence. */
  keys: tf.Tensor4D[];
  /** Like `keys`. */
  values: tf.Tensor4D[];
  /** `[batch, all keys]` float32, 1 for real tokens, 0 for padding. */
  mask?: tf.Tensor2D | undefined;
}

/**
 * Causal softmax attention with grouped queries (SPEC section 7): query head j reads key-value head
 * ⌊j / (heads / kvHeads)⌋. A cache hands its keys over in segments, so that growing it does not
 * copy it. Outputs at padding are undefined.
 *
 * @returns `[batch, heads, length, headDim]`
 * @throws KernelShapeError when shapes do not fit together
 */
export function softmaxAttention(options: SoftmaxAttentionOptions): tf.Tensor4D {
  const { queries, keys, values } = options;
  const mask = options.mask && tf.cast(options.mask, "float32");
  const [batch, heads, length, headDim] = queries.shape;
  const kvHeads = keys[0]?.shape[1] ?? 0;
  const total = keys.reduce((sum, segment) => sum + segment.shape[2], 0);
  const fits = (segment: tf.Tensor4D, i: number): boolean =>
    segment.shape.join() === [batch, kvHeads, keys[i]!.shape[2], headDim].join();
  if (
    keys.length !== values.length ||
    !keys.every(fits) ||
    !values.every(fits) ||
    heads % kvHeads !== 0 ||
    total < length ||
    (mask && mask.shape.join() !== [batch, total].join())
  ) {
    throw new KernelShapeError(
      "softmaxAttention",
      `keys and values [${batch}, a divisor of ${heads}, ≥ ${length} in all, ${headDim}], mask [${batch}, ${total}]`,
      `keys ${keys.map((k) => `[${k.shape}]`)}, values ${values.map((v) => `[${v.shape}]`)}, mask [${mask?.shape}]`,
    );
  }
  const named = (name: string, segments: tf.Tensor4D[]): Record<string, tf.Tensor> =>
    Object.fromEntries(segments.map((segment, i) => [`${name}.${i}`, segment]));
  return run(
    { queries, mask, ...named("keys", keys), ...named("values", values) },
    { segments: keys.length },
  )[0] as tf.Tensor4D;
}
