import { softmaxAttention } from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { difference, dot, example, mix, softmax, type Matrix } from "./matrix.ts";
import { heatMap, plot } from "./plot.ts";

const [length, width] = [8, 4];
const [queries, keys, values] = [1, 2, 3].map((seed) => example(length, width, seed)) as [
  Matrix,
  Matrix,
  Matrix,
];

// mask
const weights = queries.map((query, reader) =>
  softmax(keys.slice(0, reader + 1).map((key) => dot(query, key) / Math.sqrt(width))),
);
const outputs = weights.map((row) => mix(row, values.slice(0, row.length)));
// end

// The same by the kernel that the models use: [batch, heads, length, headDim].
const tensor = (rows: Matrix): tf.Tensor4D => tf.tensor4d([[rows]]);
const fused = softmaxAttention({
  queries: tensor(queries),
  keys: [tensor(keys)],
  values: [tensor(values)],
});
const found = (await fused.array())[0]![0]!;
console.log(`the kernel agrees: ${difference(outputs, found) < 1e-6}`); // → the kernel agrees: true

// A later token changes nothing that was said before.
const changed = [...keys.slice(0, 7), [9, 9, 9, 9]];
const again = queries
  .slice(0, 7)
  .map((query, reader) =>
    softmax(changed.slice(0, reader + 1).map((key) => dot(query, key) / Math.sqrt(width))),
  );
console.log(`the past is fixed: ${JSON.stringify(again) === JSON.stringify(weights.slice(0, 7))}`); // → the past is fixed: true

const cells = weights.flatMap((row, reader) =>
  row.map((weight, from) => ({ reader, from, weight })),
);
await plot("02-causal-mask", cells, heatMap);
