import { lightningAttention, type LightningForm } from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { difference, dot, example, mix, type Matrix } from "./matrix.ts";
import { plot } from "./plot.ts";

const [length, width, slope, block] = [64, 4, 0.25, 16];
const [queries, keys, values] = [1, 2, 3].map((seed) => example(length, width, seed)) as [
  Matrix,
  Matrix,
  Matrix,
];

// chunks
const state: Matrix = example(width, width, 0).map((row) => row.map(() => 0));
const outputs: Matrix = [];
for (let start = 0; start < length; start += block) {
  for (let t = 0; t < block; t++) {
    const query = queries[start + t]!;
    // Within the block by weights, as many tokens at once as a matrix product likes …
    const near = Array.from(
      { length: t + 1 },
      (_, s) => Math.exp(-slope * (t - s)) * dot(query, keys[start + s]!),
    );
    const inside = mix(near, values.slice(start, start + t + 1));
    // … and everything before the block by its state.
    const before = mix(query, state).map((value) => Math.exp(-slope * (t + 1)) * value);
    outputs.push(inside.map((value, j) => value + before[j]!));
  }
  for (const [i, row] of state.entries()) {
    for (const j of row.keys()) {
      row[j]! *= Math.exp(-slope * block);
      for (let t = 0; t < block; t++) {
        row[j]! +=
          Math.exp(-slope * (block - 1 - t)) * keys[start + t]![i]! * values[start + t]![j]!;
      }
    }
  }
}
// end

const tensor = (rows: Matrix): tf.Tensor4D => tf.tensor4d([[rows]]);
for (const form of ["recurrent", "chunked", "quadratic"] satisfies LightningForm[]) {
  const { output } = lightningAttention({
    queries: tensor(queries),
    keys: tensor(keys),
    values: tensor(values),
    slopes: [slope],
    blockSize: block,
    form,
  });
  const found = (await output.array())[0]![0]!;
  console.log(`${form} agrees: ${difference(outputs, found) < 1e-4}`);
}
// → recurrent agrees: true
// → chunked agrees: true
// → quadratic agrees: true

// A block of B tokens: B² d to weigh and mix within it, and 2 B d² with the state.
const d = 128;
const cost = [1, 4, 16, 64, 256, 1024, 4096].flatMap((size) => [
  { block: size, part: "within the block", multiplications: (size + 1) * d },
  { block: size, part: "with the state", multiplications: 2 * d * d },
]);
const steps = (size: number): number => 4096 / size;
console.log(`4096 tokens in ${steps(256)} steps of matrix products instead of ${steps(1)}`); // → 4096 tokens in 16 steps of matrix products instead of 4096

await plot("05-chunks", cost, {
  mark: { type: "area" },
  encoding: {
    x: {
      field: "block",
      type: "quantitative",
      scale: { type: "log", base: 2 },
      title: "block size",
    },
    y: {
      field: "multiplications",
      type: "quantitative",
      title: "multiplications per token and head",
    },
    color: { field: "part", type: "nominal" },
  },
});
