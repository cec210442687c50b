import type { WebGpuKernel } from "./register-fused.ts";
import { runShader, type Shader } from "./run-shader.ts";

const threads = 64;

/** Each thread one token: k times the largest logit that is left; the first of equals wins. */
const chosenExperts: Shader<Record<string, never>> = {
  name: "route-top-experts",
  threads,
  code: () => `
fn main(index: i32) {
  if (index >= uniforms.tokens) { return; }
  for (var place = 0; place < uniforms.k; place++) {
    var best = -1;
    for (var expert = 0; expert < uniforms.experts; expert++) {
      var taken = false;
      for (var other = 0; other < place; other++) {
        taken = taken || result[index * uniforms.k + other] == expert;
      }
      let logit = logits[index * uniforms.experts + expert];
      if (!taken && (best < 0 || logit > logits[index * uniforms.experts + best])) { best = expert; }
    }
    result[index * uniforms.k + place] = best;
  }
}`,
};

/** Softmax over the chosen logits, of which the first is the largest. */
const chosenWeights: Shader<Record<string, never>> = {
  name: "route-top-weights",
  threads,
  code: () => `
fn main(index: i32) {
  if (index >= uniforms.tokens) { return; }
  let start = index * uniforms.k;
  let row = index * uniforms.experts;
  var sum = 0.0;
  for (var place = start; place < start + uniforms.k; place++) {
    let power = exp(logits[row + chosen[place]] - logits[row + chosen[start]]);
    result[place] = power;
    sum += power;
  }
  for (var place = start; place < start + uniforms.k; place++) { result[place] /= sum; }
}`,
};

export const webGpuRouteTopExperts: WebGpuKernel = {
  name: "LevinRouteTopExperts",
  run: (backend, { logits }, { k }: { k: number }) => {
    const [tokens, experts] = logits!.shape as [number, number];
    const call = {
      variant: {},
      sizes: { tokens, experts, k },
      workgroups: Math.ceil(tokens / threads),
    };
    const shape = [tokens, k];
    const chosen = runShader(backend, chosenExperts, {
      ...call,
      inputs: { logits: logits! },
      output: { shape, dtype: "int32" },
    });
    const weights = runShader(backend, chosenWeights, {
      ...call,
      inputs: { logits: logits!, chosen },
      output: { shape },
    });
    return [chosen, weights];
  },
};
