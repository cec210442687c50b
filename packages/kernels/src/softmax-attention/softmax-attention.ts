import * as tf from "@tensorflow/tfjs-core";
import { defineKernel, KernelShapeError } from "../kernel.ts";
import type { KernelInputs } from "../kernel.ts";

/** Scores held at once; longer inputs are worked through in blocks of queries. */
const maxScores = 2 ** 24;

/** Added to the score of a hidden key: exp of it is 0, yet a row of only hidden keys stays finite. */
const hiddenScore = -1e30;

type Attributes = { segments: number };

const run = defineKernel<Attributes>({
  name: "LevinSoftmaxAttention",
  reference: (inputs, attributes) => {
    const { queries, keys, values, mask } = gather(inputs, attributes);
    const [batch, heads, length, headDim] = queries.shape;
    const rows = Math.max(1, Math.floor(maxScores / (batch * heads * keys.shape[2])));
    const outputs: tf.Tensor4D[] = [];
    for (let start = 0; start < length; start += rows) {
      const size = Math.min(rows, length - start);
      outputs.push(
        tf.tidy(() => {
          const block = tf.slice4d(queries, [0, 0, start, 0], [batch, heads, size, headDim]);
          const weights = attentionWeights(block, keys, mask, length - start);
          return ungroup(tf.matMul(group(weights, values.shape[1]), values), block.shape);
        }),
      );
    }
    return [outputs.length === 1 ? outputs[0]! : tf.concat(outputs, 2)];
  },
  gradient: ([upstream], inputs, attributes) => {
    const { queries, keys, values, mask } = gather(inputs, attributes);
    const kvHeads = keys.shape[1];
    const scale = 1 / Math.sqrt(queries.shape[3]);
    const weights = attentionWeights(queries, keys, mask, queries.shape[2]);
    const outgoing = group(upstream as tf.Tensor4D, kvHeads);
    const weightsGradient = tf.reshape(tf.matMul(outgoing, values, false, true), weights.shape);
    const weighted = tf.mul(weightsGradient, weights);
    const scoresGradient = tf.mul(
      tf.sub(weighted, tf.mul(weights, tf.sum(weighted, -1, true))),
      scale,
    ) as tf.Tensor4D;
    const grouped = group(scoresGradient, kvHeads);
    return {
      queries: ungroup(tf.matMul(grouped, keys), queries.shape),
      ...perSegment(
        "keys",
        tf.matMul(grouped, group(queries, kvHeads), true, false),
        inputs,
        attributes,
      ),
      ...perSegment(
        "values",
        tf.matMul(group(weights, kvHeads), outgoing, true, false),
        inputs,
        attributes,
      ),
    };
  },
});

interface Gathered {
  queries: tf.Tensor4D;
  keys: tf.Tensor4D;
  values: tf.Tensor4D;
  mask: tf.Tensor2D | undefined;
}

function gather(inputs: KernelInputs, { segments }: Attributes): Gathered {
  const joined = (name: string): tf.Tensor4D =>
    segments === 1
      ? (inputs[`${name}.0`] as tf.Tensor4D)
      : tf.concat(
          Array.from({ length: segments }, (_, i) => inputs[`${name}.${i}`] as tf.Tensor4D),
          2,
        );
  return {
    queries: inputs["queries"] as tf.Tensor4D,
    keys: joined("keys"),
    values: joined("values"),
    mask: inputs["mask"] as tf.Tensor2D | undefined,
  };
}

/**
 * softmax(q kᵀ / √headDim + mask), `[batch, heads, rows, keys]`. The first query stands `fromEnd`
 * tokens before the end of the keys.
 */
function attentionWeights(
  queries: tf.Tensor4D,
  keys: tf.Tensor4D,
  mask: tf.Tensor2D | undefined,
  fromEnd: number,
): tf.Tensor4D {
  const [batch, heads, rows, headDim] = queries.shape;
  const columns = keys.shape[2];
  const scaled = tf.mul(queries, 1 / Math.sqrt(headDim)) as tf.Tensor4D;
  let scores = tf.reshape(tf.matMul(group(scaled, keys.shape[1]), keys, false, true), [
    batch,
    heads,
    rows,
    columns,
  ]);
  if (fromEnd > 1) {
    const position = tf.range(columns - fromEnd, columns - fromEnd + rows);
    const future = tf.greater(tf.expandDims(tf.range(0, columns), 0), tf.expandDims(position, 1));
    scores = tf.add(scores, tf.mul(tf.cast(future, "float32"), hiddenScore));
  }
  if (mask) {
    const padding = tf.mul(tf.sub(1, mask), hiddenScore);
    scores = tf.add(scores, tf.reshape(padding, [batch, 1, 1, columns]));
  }
  return tf.softmax(scores as tf.Tensor4D);
}

/** `[batch, heads, rows, n]` → `[batch, kvHeads, heads/kvHeads · rows, n]`: heads of a group stack. */
function group(x: tf.Tensor4D, kvHeads: number): tf.Tensor4D {
  const [batch, , , width] = x.shape;
  return tf.reshape(x, [batch, kvHeads, -1, width]);
}

function ungroup(x: tf.Tensor, shape: [number, number, number, number]): tf.Tensor4D {
  return tf.reshape(x, shape);
}

function perSegment(
  name: string,
  gradient: tf.Tensor,
  inputs: KernelInputs,
  { segments }: Attributes,
): KernelInputs {
  const lengths = Array.from({ length: segments }, (_, i) => inputs[`${name}.${i}`]!.shape[2]!);
  const parts = segments === 1 ? [gradient] : tf.split(gradient, lengths, 2);
  return Object.fromEntries(parts.map((part, i) => [`${name}.${i}`, part]));
}

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
  const { queries, keys, values, mask } = options;
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
