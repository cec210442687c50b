import { lightningAttention } from "@levin/kernels";
import { decaySlopes } from "@levin/lightning-attention";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { difference, example, mix, type Matrix } from "./matrix.ts";
import { plot } from "./plot.ts";

const [length, width, slope] = [64, 4, 0.25];
const [queries, keys, values] = [1, 2, 3].map((seed) => example(length, width, seed)) as [
  Matrix,
  Matrix,
  Matrix,
];

// decay
const decay = Math.exp(-slope);
const state: Matrix = example(width, width, 0).map((row) => row.map(() => 0));
const outputs = queries.map((query, t) => {
  for (const [i, row] of state.entries()) {
    for (const j of row.keys()) row[j] = decay * row[j]! + keys[t]![i]! * values[t]![j]!;
  }
  return mix(query, state);
});
// end

const tensor = (rows: Matrix): tf.Tensor4D => tf.tensor4d([[rows]]);
const { output } = lightningAttention({
  queries: tensor(queries),
  keys: tensor(keys),
  values: tensor(values),
  slopes: [slope],
});
console.log(`the kernel agrees: ${difference(outputs, (await output.array())[0]![0]!) < 1e-4}`); // → the kernel agrees: true

// slopes
const slopes = decaySlopes({ numHeads: 8, layerIndex: 0, numLayers: 8, dialect: "m1" });
const halfLives = slopes.map((rate) => Math.LN2 / rate);
// end
console.log(
  `half is forgotten after ${halfLives.map((tokens) => tokens.toFixed(0)).join(", ")} tokens`,
); // → half is forgotten after 1, 3, 6, 11, 22, 44, 89, 177 tokens
const last = decaySlopes({ numHeads: 8, layerIndex: 6, numLayers: 8, dialect: "m1" });
console.log(`seven layers on, the first head after ${(Math.LN2 / last[0]!).toFixed(0)}`); // → seven layers on, the first head after 10

const curves = slopes.flatMap((rate, head) =>
  Array.from({ length: 101 }, (_, i) => ({
    distance: 2 * i,
    head: `${head + 1}`,
    left: Math.exp(-rate * 2 * i),
  })),
);
await plot("04-decay", curves, {
  mark: "line",
  encoding: {
    x: { field: "distance", type: "quantitative", title: "tokens ago" },
    y: { field: "left", type: "quantitative", title: "what is left of it" },
    color: { field: "head", type: "ordinal" },
  },
});
