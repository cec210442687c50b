import type * as tf from "@tensorflow/tfjs-core";
import type { Expert } from "../expert-mixture/expert.ts";
import type { WeightKind } from "../quantized/block-layout.ts";
import type { Mixture } from "./expert-mixture.ts";
import { expertSets, pickExpert } from "./expert-sets.ts";
import { productTile, tileSize, tileThreads } from "./product-tile.ts";
import { runShader, type Shader } from "./run-shader.ts";
import { sigmoid } from "./snippets.ts";
import { weightAt } from "./weights.ts";

type RowsVariant = { count: number; kind: WeightKind };

/** `fn {part}At(expert, row, column) -> f32` for the experts of a set. */
function expertAt(part: keyof Expert, { count, kind }: RowsVariant): string {
  return pickExpert(part, count, {
    suffix: "At",
    parameters: "row: i32, column: i32",
    one: (name) => weightAt(name, kind, "uniforms.depth"),
  });
}

/** Rows of a tile are sorted choices of expert `workgroupId.z` of the set; most tiles are empty. */
const declarations = `
var<private> expert: i32;
var<workgroup> group: vec2<i32>;
fn sortedChoice(row: i32) -> i32 { return groups[uniforms.experts + 1 + row]; }`;

const bounds = `
  expert = i32(workgroupId.z);
  if (localIndex == 0u) {
    let first = groups[uniforms.first + expert] + i32(workgroupId.y) * ${tileSize};
    group = vec2<i32>(first, groups[uniforms.first + expert + 1]);
  }
  let tileRows = workgroupUniformLoad(&group);
  if (tileRows.x >= tileRows.y) { return; }
  let firstRow = tileRows.x;
  let rows = tileRows.y;
  let firstColumn = i32(workgroupId.x) * ${tileSize};
  let columns = uniforms.columns;
  let depth = uniforms.depth;`;

/** silu(gate x) ⊙ (up x) of each choice. */
const activate: Shader<RowsVariant> = {
  name: "expert-activation",
  threads: tileThreads,
  code: (variant) =>
    productTile({
      declarations: [
        sigmoid,
        declarations,
        expertAt("gate", variant),
        expertAt("up", variant),
      ].join("\n"),
      bounds,
      left: "x[sortedChoice(row) / uniforms.k * uniforms.depth + k]",
      right: ["gateAt(expert, column, k)", "upAt(expert, column, k)"],
      store: "result[row * columns + column] = sum0 * sigmoid(sum0) * sum1;",
    }),
};

/** Brings the choices back into the order of tokens. */
const down: Shader<RowsVariant> = {
  name: "expert-down",
  threads: tileThreads,
  code: (variant) =>
    productTile({
      declarations: [declarations, expertAt("down", variant)].join("\n"),
      bounds,
      left: "activated[row * uniforms.depth + k]",
      right: ["downAt(expert, column, k)"],
      store: "result[sortedChoice(row) * columns + column] = sum0;",
    }),
};

const sumThreads = 64;

const sum: Shader<Record<string, never>> = {
  name: "sum-of-choices",
  threads: sumThreads,
  code: () => `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let token = index / uniforms.width;
  var sum = 0.0;
  for (var choice = token * uniforms.k; choice < (token + 1) * uniforms.k; choice++) {
    sum += weights[choice] * outputs[choice * uniforms.width + index % uniforms.width];
  }
  result[index] = sum;
}`,
};

/** `[tokens · k, intermediate]`, sorted by expert. */
export function activatedRows(mixture: Mixture, groups: tf.TensorInfo): tf.TensorInfo {
  const { x, hidden, intermediate, kind } = mixture;
  const sizes = { depth: hidden, columns: intermediate };
  return groupedProduct(mixture, activate, ["gate", "up"], { x, groups }, sizes, kind);
}

/** `[tokens · k, hidden]`, choice by choice. */
export function downRows(
  mixture: Mixture,
  groups: tf.TensorInfo,
  activated: tf.TensorInfo,
): tf.TensorInfo {
  const { hidden, intermediate, downKind } = mixture;
  const sizes = { depth: intermediate, columns: hidden };
  return groupedProduct(mixture, down, ["down"], { activated, groups }, sizes, downKind);
}

function groupedProduct(
  mixture: Mixture,
  shader: Shader<RowsVariant>,
  parts: readonly (keyof Expert)[],
  inputs: Record<string, tf.TensorInfo>,
  sizes: { depth: number; columns: number },
  kind: WeightKind,
): tf.TensorInfo {
  const { backend, tokens, k, experts } = mixture;
  let output: tf.TensorInfo | undefined;
  for (const set of expertSets(mixture, parts, 3)) {
    output = runShader(backend, shader, {
      variant: { count: set.count, kind },
      inputs: { ...inputs, ...set.inputs },
      sizes: { ...sizes, first: set.first, k, experts: experts.length },
      output: output ?? { shape: [tokens * k, sizes.columns] },
      // No expert has more choices than there are tokens, unless a routing names it twice.
      workgroups: [
        Math.ceil(sizes.columns / tileSize),
        Math.ceil((tokens * k) / tileSize),
        set.count,
      ],
    });
  }
  return output!;
}

/** `[tokens, hidden]`: the weighted sum of each token's choices. */
export function sumOfChoices(mixture: Mixture, outputs: tf.TensorInfo): tf.TensorInfo {
  const { backend, weights, tokens, k, hidden } = mixture;
  const count = tokens * hidden;
  return runShader(backend, sum, {
    variant: {},
    inputs: { outputs, weights },
    sizes: { count, k, width: hidden },
    output: { shape: [tokens, hidden] },
    workgroups: Math.ceil(count / sumThreads),
  });
}
