import type { LightningVariant, Masked } from "./lightning-attention.ts";
import { productTile, tileSize, tileThreads } from "./product-tile.ts";
import type { Shader } from "./run-shader.ts";

/*
 * Lightning attention in blocks (SPEC 6.4). With c(t) the number of real tokens of t's block up to and
 * including t, only differences of c count, so padding neither adds nor decays.
 */

/** Tokens of a block: a tile of the products below. */
export const blockSize = tileSize;

/** Counts of real tokens, the decay of a head over a distance, and whose block a workgroup has. */
function common(masked: boolean): string {
  const place = "batch * uniforms.length + token";
  return `
var<private> pair: i32;
var<private> block: i32;
fn decay(distance: f32) -> f32 {
  let head = pair % uniforms.heads;
  return exp(-uniforms.slopes[head / 4][head % 4] * distance);
}
fn count(token: i32) -> f32 {
  ${
    masked
      ? `let batch = pair / uniforms.heads;
  return counts[${place}];`
      : `return f32(token % ${blockSize} + 1);`
  }
}
fn lastOfBlock() -> i32 { return min((block + 1) * ${blockSize}, uniforms.length) - 1; }`;
}

function isReal(masked: boolean): string {
  return masked
    ? `fn isReal(token: i32) -> bool {
  return mask[pair / uniforms.heads * uniforms.length + token] > 0.0;
}`
    : "fn isReal(token: i32) -> bool { return true; }";
}

/** c(t), each thread one block. */
export const realCounts: Shader<Masked> = {
  name: "lightning-counts",
  threads: 64,
  code: () => `
fn main(index: i32) {
  let batch = index / uniforms.blocks;
  if (batch >= uniforms.pairs / uniforms.heads) { return; }
  let start = index % uniforms.blocks * ${blockSize};
  var count = 0.0;
  for (var token = start; token < min(start + ${blockSize}, uniforms.length); token++) {
    count += mask[batch * uniforms.length + token];
    result[batch * uniforms.length + token] = count;
  }
}`,
};

/** Σ_b λ^(c(last) − c(b)) k_bᵀ v_b: what each block adds to the state, `[pairs, blocks, headDim, headDim]`. */
export const blockStates: Shader<Masked> = {
  name: "lightning-block-states",
  threads: tileThreads,
  code: ({ masked }) =>
    productTile({
      declarations: `${common(masked)}
${isReal(masked)}
fn decayedKey(i: i32, b: i32) -> f32 {
  let token = block * ${blockSize} + b;
  if (token >= uniforms.length || !isReal(token)) { return 0.0; }
  let key = keys[(pair * uniforms.length + token) * uniforms.headDim + i];
  return key * decay(count(lastOfBlock()) - count(token));
}
fn valueAt(i: i32, b: i32) -> f32 {
  let token = min(block * ${blockSize} + b, uniforms.length - 1);
  return values[(pair * uniforms.length + token) * uniforms.headDim + i];
}`,
      bounds: `
  let tiles = (uniforms.headDim + ${tileSize - 1}) / ${tileSize};
  let group = index / ${tileThreads};
  let matrix = group / (tiles * tiles);
  pair = matrix / uniforms.blocks;
  block = matrix % uniforms.blocks;
  let firstRow = group / tiles % tiles * ${tileSize};
  let firstColumn = group % tiles * ${tileSize};
  let rows = select(0, uniforms.headDim, pair < uniforms.pairs);
  let columns = uniforms.headDim;
  let depth = min(${blockSize}, uniforms.length);`,
      left: "decayedKey(row, k)",
      right: ["valueAt(column, k)"],
      store: "result[(matrix * uniforms.headDim + row) * uniforms.headDim + column] = sum0;",
    }),
};

/** The state before each block, each thread one of its numbers: the only part that goes block by block. */
export const statesBefore: Shader<LightningVariant> = {
  name: "lightning-states-before",
  threads: 64,
  code: ({ masked, withState }) => `${common(masked)}
fn main(index: i32) {
  let square = uniforms.headDim * uniforms.headDim;
  pair = index / square;
  if (pair >= uniforms.pairs) { return; }
  var state = ${withState ? "state[index]" : "0.0"};
  for (block = 0; block < uniforms.blocks; block++) {
    let place = (pair * uniforms.blocks + block) * square + index % square;
    result[place] = state;
    state = state * decay(count(lastOfBlock())) + own[place];
  }
}`,
};

/** The state after the last block. */
export const nextState: Shader<Masked> = {
  name: "lightning-next-state",
  threads: 64,
  code: ({ masked }) => `${common(masked)}
fn main(index: i32) {
  let square = uniforms.headDim * uniforms.headDim;
  pair = index / square;
  if (pair >= uniforms.pairs) { return; }
  block = uniforms.blocks - 1;
  let place = (pair * uniforms.blocks + block) * square + index % square;
  result[index] = before[place] * decay(count(lastOfBlock())) + own[place];
}`,
};

/** (q_a · k_b) λ^(c(a) − c(b)) for b ≤ a inside each block. */
export const blockScores: Shader<Masked> = {
  name: "lightning-scores",
  threads: tileThreads,
  code: ({ masked }) =>
    productTile({
      declarations: `${common(masked)}
${isReal(masked)}
var<private> firstNumber: i32;
fn score(sum: f32, a: i32, b: i32) -> f32 {
  let start = block * ${blockSize};
  if (b > a || !isReal(start + b)) { return 0.0; }
  return sum * decay(count(start + a) - count(start + b));
}`,
      bounds: `
  let matrix = index / ${tileThreads};
  pair = matrix / uniforms.blocks;
  block = matrix % uniforms.blocks;
  firstNumber = (pair * uniforms.length + block * ${blockSize}) * uniforms.headDim;
  let firstRow = 0;
  let firstColumn = 0;
  let rows = select(0, min(${blockSize}, uniforms.length - block * ${blockSize}), pair < uniforms.pairs);
  let columns = rows;
  let depth = uniforms.headDim;`,
      left: "queries[firstNumber + row * uniforms.headDim + k]",
      right: ["keys[firstNumber + column * uniforms.headDim + k]"],
      store: `result[(matrix * ${blockSize} + row) * ${blockSize} + column] = score(sum0, row, column);`,
    }),
};

/** Scores times values, plus decayed queries times the state before the block, as one product. */
export const blockOutputs: Shader<Masked> = {
  name: "lightning-outputs",
  threads: tileThreads,
  code: ({ masked }) =>
    productTile({
      declarations: `${common(masked)}
${isReal(masked)}
fn scoreOrQuery(row: i32, k: i32) -> f32 {
  let token = block * ${blockSize} + row;
  if (k < ${blockSize}) {
    if (k > row) { return 0.0; }
    return scores[((pair * uniforms.blocks + block) * ${blockSize} + row) * ${blockSize} + k];
  }
  let query = queries[(pair * uniforms.length + token) * uniforms.headDim + k - ${blockSize}];
  return query * decay(count(token));
}
fn valueOrState(column: i32, k: i32) -> f32 {
  if (k < ${blockSize}) {
    let token = min(block * ${blockSize} + k, uniforms.length - 1);
    return values[(pair * uniforms.length + token) * uniforms.headDim + column];
  }
  let row = (pair * uniforms.blocks + block) * uniforms.headDim + k - ${blockSize};
  return before[row * uniforms.headDim + column];
}`,
      bounds: `
  let tiles = (uniforms.headDim + ${tileSize - 1}) / ${tileSize};
  let group = index / ${tileThreads};
  let matrix = group / tiles;
  pair = matrix / uniforms.blocks;
  block = matrix % uniforms.blocks;
  let firstRow = 0;
  let firstColumn = group % tiles * ${tileSize};
  let rows = select(0, min(${blockSize}, uniforms.length - block * ${blockSize}), pair < uniforms.pairs);
  let columns = uniforms.headDim;
  let depth = ${blockSize} + uniforms.headDim;`,
      left: "scoreOrQuery(row, k)",
      right: ["valueOrState(column, k)"],
      store: `let token = block * ${blockSize} + row;
        result[(pair * uniforms.length + token) * uniforms.headDim + column] =
          select(0.0, sum0, isReal(token));`,
    }),
};
