import type { LightningVariant, Masked } from "./lightning-attention.ts";
import type { Shader } from "./run-shader.ts";

/** λ S + kᵀ v, each thread one number of the state; padding leaves it as it is. */
export const stepState: Shader<LightningVariant> = {
  name: "lightning-step-state",
  threads: 64,
  code: ({ masked, withState }) => `
fn main(index: i32) {
  let d = uniforms.headDim;
  if (index >= uniforms.pairs * d * d) { return; }
  let pair = index / (d * d);
  let head = pair % uniforms.heads;
  let old = ${withState ? "state[index]" : "0.0"};
  let added = keys[pair * d + index / d % d] * values[pair * d + index % d];
  let moved = old * exp(-uniforms.slopes[head / 4][head % 4]) + added;
  result[index] = ${masked ? "select(old, moved, mask[pair / uniforms.heads] > 0.0)" : "moved"};
}`,
};

/** q S, each thread one column. */
export const stepOutput: Shader<Masked> = {
  name: "lightning-step-output",
  threads: 64,
  code: ({ masked }) => `
fn main(index: i32) {
  let d = uniforms.headDim;
  if (index >= uniforms.pairs * d) { return; }
  let pair = index / d;
  var sum = 0.0;
  for (var i = 0; i < d; i++) { sum += queries[pair * d + i] * next[(pair * d + i) * d + index % d]; }
  result[index] = sum${masked ? " * mask[pair / uniforms.heads]" : ""};
}`,
};
