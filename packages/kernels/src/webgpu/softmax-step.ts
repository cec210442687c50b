import { seenScore, segmentsAt } from "./key-segments.ts";
import type { Shader } from "./run-shader.ts";
import type { SoftmaxVariant } from "./softmax-attention.ts";

const threads = 64;
/** Keys of one workgroup. */
export const partLength = 256;

/** `op` over all threads of a workgroup. */
function reduceAll(name: string, op: (a: string, b: string) => string): string {
  return `
fn ${name}(value: f32) -> f32 {
  reduced[localIndex] = value;
  workgroupBarrier();
  for (var half = ${threads / 2}u; half > 0u; half >>= 1u) {
    if (localIndex < half) {
      reduced[localIndex] = ${op("reduced[localIndex]", "reduced[localIndex + half]")};
    }
    workgroupBarrier();
  }
  let all = reduced[0];
  workgroupBarrier();
  return all;
}`;
}

/**
 * One query and a part of its keys: the sum of values, weighted by exp(score − largest score), that
 * largest score and the sum of weights, `headDim + 2` numbers.
 */
export const attendPart: Shader<SoftmaxVariant> = {
  name: "softmax-attention-part",
  threads,
  code: ({ segments, masked }) => `
${segmentsAt("keys", segments)}
${segmentsAt("values", segments)}
${seenScore(masked)}
var<workgroup> reduced: array<f32, ${threads}>;
var<workgroup> scores: array<f32, ${partLength}>;
${reduceAll("largest", (a, b) => `max(${a}, ${b})`)}
${reduceAll("total", (a, b) => `${a} + ${b}`)}
fn main(index: i32) {
  let lane = i32(localIndex);
  let group = index / ${threads};
  let part = group % uniforms.parts;
  let query = group / uniforms.parts % uniforms.queries;
  // A dispatch may be larger than asked for; its last workgroups repeat the last pair without storing.
  let pair = min(group / uniforms.parts / uniforms.queries, uniforms.pairs - 1);
  let isMine = group < uniforms.pairs * uniforms.queries * uniforms.parts;
  let batch = pair / uniforms.heads;
  let keyPair = batch * (uniforms.heads / uniforms.group) + pair % uniforms.heads / uniforms.group;
  let start = part * ${partLength};
  let keys = min(${partLength}, uniforms.total - start);
  var most = -1e30;
  for (var k = lane; k < keys; k += ${threads}) {
    var score = 0.0;
    for (var i = 0; i < uniforms.headDim; i++) {
      score += queries[(pair * uniforms.queries + query) * uniforms.headDim + i] * keysAt(keyPair, start + k, i);
    }
    scores[k] = seen(batch, query, start + k, score * uniforms.scale);
    most = max(most, scores[k]);
  }
  most = largest(most);
  var sum = 0.0;
  for (var k = lane; k < keys; k += ${threads}) {
    scores[k] = exp(scores[k] - most);
    sum += scores[k];
  }
  sum = total(sum);
  let place = group * (uniforms.headDim + 2);
  for (var i = lane; i < uniforms.headDim; i += ${threads}) {
    var added = 0.0;
    for (var k = 0; k < keys; k++) { added += scores[k] * valuesAt(keyPair, start + k, i); }
    if (isMine) { result[place + i] = added; }
  }
  if (isMine && lane == 0) {
    result[place + uniforms.headDim] = most;
    result[place + uniforms.headDim + 1] = sum;
  }
}`,
};

/** The output of a query from its parts, each thread one number. */
export const joinParts: Shader<Record<string, never>> = {
  name: "softmax-attention-join",
  threads,
  code: () => `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let width = uniforms.headDim + 2;
  let first = index / uniforms.headDim * uniforms.parts * width;
  var most = -1e30;
  for (var part = 0; part < uniforms.parts; part++) {
    most = max(most, partial[first + part * width + uniforms.headDim]);
  }
  var added = 0.0;
  var sum = 0.0;
  for (var part = 0; part < uniforms.parts; part++) {
    let at = first + part * width;
    let share = exp(partial[at + uniforms.headDim] - most);
    added += share * partial[at + index % uniforms.headDim];
    sum += share * partial[at + uniforms.headDim + 1];
  }
  result[index] = added / sum;
}`,
};
