import { lightningAttention } from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { difference, dot, example, mix, type Matrix } from "./matrix.ts";
import { plot } from "./plot.ts";

const [length, width] = [64, 4];
const [queries, keys, values] = [1, 2, 3].map((seed) => example(length, width, seed)) as [
  Matrix,
  Matrix,
  Matrix,
];

// by weights
const byWeights = queries.map((query, t) => {
  const weights = keys.slice(0, t + 1).map((key) => dot(query, key));
  return mix(weights, values.slice(0, t + 1));
});
// end

// by state
const state: Matrix = example(width, width, 0).map((row) => row.map(() => 0));
const byState = queries.map((query, t) => {
  for (const [i, row] of state.entries()) {
    for (const j of row.keys()) row[j]! += keys[t]![i]! * values[t]![j]!; // S ← S + kᵀ v
  }
  return mix(query, state); // o = q S
});
// end
console.log(`two orders, one result: ${difference(byWeights, byState) < 1e-9}`); // → two orders, one result: true

const tensor = (rows: Matrix): tf.Tensor4D => tf.tensor4d([[rows]]);
const { output } = lightningAttention({
  queries: tensor(queries),
  keys: tensor(keys),
  values: tensor(values),
  slopes: [0],
});
const found = (await output.array())[0]![0]!;
console.log(`the kernel agrees: ${difference(byState, found) < 1e-4}`); // → the kernel agrees: true

// Multiplications of a whole sequence, for heads of 128 numbers: each token reads all before it,
// or updates and reads one matrix.
const d = 128;
const cost = [64, 128, 256, 512, 1024, 2048, 4096].flatMap((n) => [
  { tokens: n, order: "(q k) v, by weights", multiplications: n * (n + 1) * d },
  { tokens: n, order: "q (k v), by a state", multiplications: 2 * n * d * d },
]);
const [weightsAt4096, stateAt4096] = cost.slice(-2).map((point) => point.multiplications);
console.log(`at 4096 tokens ${(weightsAt4096! / stateAt4096!).toFixed(0)} times less`); // → at 4096 tokens 16 times less

await plot("03-linear-attention", cost, {
  mark: { type: "line", point: true },
  encoding: {
    x: { field: "tokens", type: "quantitative", scale: { type: "log", base: 2 } },
    y: { field: "multiplications", type: "quantitative", scale: { type: "log" } },
    color: { field: "order", type: "nominal" },
  },
});
