import { dot, example, mix, softmax } from "./matrix.ts";
import { heatMap, plot } from "./plot.ts";

const [length, width] = [8, 4];
const [queries, keys, values] = [1, 2, 3].map((seed) => example(length, width, seed)) as [
  number[][],
  number[][],
  number[][],
];

// attention
const weights = queries.map((query) =>
  softmax(keys.map((key) => dot(query, key) / Math.sqrt(width))),
);
const outputs = weights.map((row) => mix(row, values));
// end

const sums = weights.map((row) => row.reduce((a, b) => a + b).toFixed(3));
console.log(`each token's weights sum to ${[...new Set(sums)].join(", ")}`); // → each token's weights sum to 1.000
console.log(`${outputs.length} outputs of ${outputs[0]!.length} numbers`); // → 8 outputs of 4 numbers
const cells = weights.flatMap((row, reader) =>
  row.map((weight, from) => ({ reader, from, weight })),
);
console.log(`${cells.length} weights for ${length} tokens`); // → 64 weights for 8 tokens

await plot("01-softmax-attention", cells, heatMap);
