import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type * as tf from "@tensorflow/tfjs-core";
import { runShader, type Shader } from "./run-shader.ts";

const threads = 256;

/** Each thread finds the choices of its experts by itself, in the order of tokens. */
const groupChoices: Shader<Record<string, never>> = {
  name: "group-choices",
  threads,
  code: () => `
fn main(index: i32) {
  for (var expert = index; expert < uniforms.experts; expert += ${threads}) {
    var place = 0;
    for (var choice = 0; choice < uniforms.choices; choice++) {
      place += select(0, 1, chosen[choice] < expert);
    }
    result[expert] = place;
    for (var choice = 0; choice < uniforms.choices; choice++) {
      if (chosen[choice] == expert) {
        result[uniforms.experts + 1 + place] = choice;
        place++;
      }
    }
  }
  if (index == 0) { result[uniforms.experts] = uniforms.choices; }
}`,
};

/**
 * Sorts the choices of a routing by expert without leaving the GPU.
 *
 * @param chosen `[tokens, k]` int32
 * @returns int32 list: for each expert where its choices start, their number, then all choices sorted
 */
export function groupedChoices(
  backend: WebGPUBackend,
  chosen: tf.Tensor,
  experts: number,
): tf.TensorInfo {
  return runShader(backend, groupChoices, {
    variant: {},
    inputs: { chosen },
    sizes: { experts, choices: chosen.size },
    output: { shape: [experts + 1 + chosen.size], dtype: "int32" },
    workgroups: 1,
  });
}
