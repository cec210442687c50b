import { seenScore, segmentsAt } from "./key-segments.ts";
import type { Shader } from "./run-shader.ts";
import type { SoftmaxVariant } from "./softmax-attention.ts";

/** Queries of a workgroup, and keys that it takes at a time: 16 × 16 threads. */
export const queryTile = 16;
const pitch = queryTile + 1;

/** `score` of the thread's query and key. */
const tileScore = `
    var score = 0.0;
    for (var slice = 0; slice < uniforms.headDim; slice += ${queryTile}) {
      let i = slice + lane;
      let inside = i < uniforms.headDim;
      var number = 0.0;
      if (inside && isQuery) {
        number = queries[(pair * uniforms.queries + query) * uniforms.headDim + i] * uniforms.scale;
      }
      queryTile[row * ${pitch} + lane] = number;
      number = 0.0;
      if (inside && start + row < end) { number = keysAt(keyPair, start + row, i); }
      keyTile[row * ${pitch} + lane] = number;
      workgroupBarrier();
      for (var k = 0; k < ${queryTile}; k++) {
        score += queryTile[row * ${pitch} + k] * keyTile[lane * ${pitch} + k];
      }
      workgroupBarrier();
    }`;

/** Adds the values of the keys to `output`, weighted by their scores. */
function addValues(slices: number): string {
  return `
    for (var slice = 0; slice < ${slices}; slice++) {
      let i = slice * ${queryTile} + lane;
      var number = 0.0;
      if (i < uniforms.headDim && start + row < end) { number = valuesAt(keyPair, start + row, i); }
      keyTile[row * ${pitch} + lane] = number;
      workgroupBarrier();
      var added = 0.0;
      for (var k = 0; k < ${queryTile}; k++) {
        added += scores[row * ${pitch} + k] * keyTile[k * ${pitch} + lane];
      }
      output[slice] = output[slice] * shrink + added;
      workgroupBarrier();
    }`;
}

/**
 * Softmax over keys as they come (Dao et al., FlashAttention, arXiv 2205.14135; Milakov & Gimelshein,
 * arXiv 1805.02867): sums so far shrink when a larger score appears. Thread (row, lane) has the score of
 * its query and one key, then every 16th number of its query's output.
 */
export const attendRows: Shader<SoftmaxVariant> = {
  name: "softmax-attention",
  threads: queryTile * queryTile,
  code: ({ segments, masked, headDim }) => {
    const slices = Math.ceil(headDim / queryTile);
    return `
${segmentsAt("keys", segments)}
${segmentsAt("values", segments)}
${seenScore(masked)}
var<workgroup> queryTile: array<f32, ${queryTile * pitch}>;
var<workgroup> keyTile: array<f32, ${queryTile * pitch}>;
var<workgroup> scores: array<f32, ${queryTile * pitch}>;
var<workgroup> sharedEnd: i32;
fn main(index: i32) {
  let lane = i32(localIndex) % ${queryTile};
  let row = i32(localIndex) / ${queryTile};
  let tiles = (uniforms.queries + ${queryTile - 1}) / ${queryTile};
  let pair = index / ${queryTile * queryTile} / tiles;
  let firstQuery = index / ${queryTile * queryTile} % tiles * ${queryTile};
  let query = firstQuery + row;
  let batch = pair / uniforms.heads;
  let keyPair = batch * (uniforms.heads / uniforms.group) + pair % uniforms.heads / uniforms.group;
  if (localIndex == 0u) {
    let last = min(firstQuery + ${queryTile}, uniforms.queries);
    sharedEnd = select(0, uniforms.total - uniforms.queries + last, pair < uniforms.pairs);
  }
  let end = workgroupUniformLoad(&sharedEnd);
  let isQuery = query < uniforms.queries && pair < uniforms.pairs;
  var most = -1e30;
  var sum = 0.0;
  var output: array<f32, ${slices}>;
  for (var start = 0; start < end; start += ${queryTile}) {
    ${tileScore}
    scores[row * ${pitch} + lane] = seen(batch, query, start + lane, score);
    workgroupBarrier();
    var larger = most;
    for (var k = 0; k < ${queryTile}; k++) { larger = max(larger, scores[row * ${pitch} + k]); }
    let shrink = exp(most - larger);
    most = larger;
    workgroupBarrier();
    scores[row * ${pitch} + lane] = exp(scores[row * ${pitch} + lane] - most);
    workgroupBarrier();
    sum *= shrink;
    for (var k = 0; k < ${queryTile}; k++) { sum += scores[row * ${pitch} + k]; }
    ${addValues(slices)}
  }
  if (!isQuery) { return; }
  for (var slice = 0; slice < ${slices}; slice++) {
    let i = slice * ${queryTile} + lane;
    if (i < uniforms.headDim) {
      result[(pair * uniforms.queries + query) * uniforms.headDim + i] = output[slice] / sum;
    }
  }
}`;
  },
};
