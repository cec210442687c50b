import type * as tf from "@tensorflow/tfjs-core";
import type { Expert } from "../expert-mixture/expert.ts";
import type { WeightKind } from "../quantized/block-layout.ts";
import type { Mixture } from "./expert-mixture.ts";
import { expertSets, pickExpert, type ExpertSet } from "./expert-sets.ts";
import { runShader, type Shader } from "./run-shader.ts";
import { sigmoid, sumOver } from "./snippets.ts";
import { weightDot } from "./weights.ts";

type StepVariant = { count: number; kind: WeightKind; isVector: boolean };

/** Neighbouring threads that share a row of a weight. */
const lanes = 16;
const threads = 64;

/** `fn {part}Dot(expert, row, start, lane) -> f32` for the experts of a set. */
function expertDot(part: keyof Expert, x: string, { count, kind, isVector }: StepVariant): string {
  return pickExpert(part, count, {
    suffix: "Dot",
    parameters: "row: i32, start: i32, lane: i32",
    one: (name) => weightDot(name, kind, { columns: "uniforms.depth", lanes, x, isVector }),
  });
}

/** silu(gate x) ⊙ (up x) of each choice whose expert is in the set. */
const activate: Shader<StepVariant> = {
  name: "expert-activation-step",
  threads,
  code: (variant) => `${sigmoid}
${expertDot("gate", "x", variant)}
${expertDot("up", "x", variant)}
${sumOver(threads, lanes)}
fn main(index: i32) {
  let choice = i32(workgroupId.y);
  let expert = chosen[choice] - uniforms.first;
  let isHere = expert >= 0 && expert < ${variant.count};
  let lane = i32(localIndex) % ${lanes};
  let column = (i32(workgroupId.x) * ${threads} + i32(localIndex)) / ${lanes};
  let works = isHere && column < uniforms.columns;
  let start = choice / uniforms.k * uniforms.depth;
  var gate = 0.0;
  var up = 0.0;
  if (works) {
    gate = gateDot(expert, column, start, lane);
    up = upDot(expert, column, start, lane);
  }
  gate = sumOverLanes(gate);
  up = sumOverLanes(up);
  if (works && lane == 0) {
    result[choice * uniforms.columns + column] = gate * sigmoid(gate) * up;
  }
}`,
};

/** Adds to each token what its choices in the set give, weighted; the first set starts the sum. */
const addDown: Shader<StepVariant & { isFirst: boolean }> = {
  name: "expert-down-step",
  threads,
  code: (variant) => `
${expertDot("down", "activated", variant)}
${sumOver(threads, lanes)}
fn main(index: i32) {
  let token = i32(workgroupId.y);
  let lane = i32(localIndex) % ${lanes};
  let column = (i32(workgroupId.x) * ${threads} + i32(localIndex)) / ${lanes};
  var sum = 0.0;
  if (column < uniforms.columns) {
    for (var choice = token * uniforms.k; choice < (token + 1) * uniforms.k; choice++) {
      let expert = chosen[choice] - uniforms.first;
      if (expert >= 0 && expert < ${variant.count}) {
        sum += weights[choice] * downDot(expert, column, choice * uniforms.depth, lane);
      }
    }
  }
  sum = sumOverLanes(sum);
  if (lane == 0 && column < uniforms.columns) {
    let place = token * uniforms.columns + column;
    result[place] = ${variant.isFirst ? "" : "result[place] + "}sum;
  }
}`,
};

/** `[tokens · k, intermediate]`, choice by choice. */
export function activatedStep(mixture: Mixture): tf.TensorInfo {
  const { backend, x, chosen, tokens, k, hidden, intermediate, kind } = mixture;
  let output: tf.TensorInfo | undefined;
  for (const set of expertSets(mixture, ["gate", "up"], 3)) {
    output = runShader(backend, activate, {
      variant: { count: set.count, kind, isVector: hidden % 4 === 0 },
      inputs: { x, chosen, ...set.inputs },
      vectors: vectors("x", set, kind, hidden),
      sizes: { first: set.first, k, depth: hidden, columns: intermediate },
      output: output ?? { shape: [tokens * k, intermediate] },
      workgroups: [Math.ceil((intermediate * lanes) / threads), tokens * k, 1],
    });
  }
  return output!;
}

/** `[tokens, hidden]`: the mixture's result. */
export function downStep(mixture: Mixture, activated: tf.TensorInfo): tf.TensorInfo {
  const { backend, chosen, weights, tokens, k, hidden, intermediate, downKind: kind } = mixture;
  let output: tf.TensorInfo | undefined;
  for (const set of expertSets(mixture, ["down"], 4)) {
    output = runShader(backend, addDown, {
      variant: { count: set.count, kind, isVector: intermediate % 4 === 0, isFirst: !output },
      inputs: { activated, chosen, weights, ...set.inputs },
      vectors: vectors("activated", set, kind, intermediate),
      sizes: { first: set.first, k, depth: intermediate, columns: hidden },
      output: output ?? { shape: [tokens, hidden] },
      workgroups: [Math.ceil((hidden * lanes) / threads), tokens, 1],
    });
  }
  return output!;
}

/** Inputs that are read as vec4: the rows, and float weights of the same length. */
function vectors(x: string, set: ExpertSet, kind: WeightKind, depth: number): string[] {
  if (depth % 4 !== 0) return [];
  return kind === 0 ? [x, ...Object.keys(set.inputs)] : [x];
}
