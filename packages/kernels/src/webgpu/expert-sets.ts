import type * as tf from "@tensorflow/tfjs-core";
import type { Expert } from "../expert-mixture/expert.ts";
import type { Mixture } from "./expert-mixture.ts";

/** Experts whose weights one dispatch can have at hand: storage buffers of a shader are few. */
export interface ExpertSet {
  first: number;
  /** Weights by the name they have in the shader, such as `gate0`, `up0`, `gate1`, …. */
  inputs: Record<string, tf.TensorInfo>;
  count: number;
}

/** More would only make shaders long. */
const mostExperts = 16;

/**
 * Cuts the experts of a mixture into sets.
 *
 * @param parts weights that are needed of each expert
 * @param others storage buffers that the shader has besides
 */
export function expertSets(
  { backend, experts }: Mixture,
  parts: readonly (keyof Expert)[],
  others: number,
): ExpertSet[] {
  const { maxStorageBuffersPerShaderStage } = (backend.device as GPUDevice).limits;
  const room = Math.floor((maxStorageBuffersPerShaderStage - others) / parts.length);
  // Sets of one size need one shader.
  const sets = Math.ceil(experts.length / Math.min(room, mostExperts));
  const size = Math.ceil(experts.length / sets);
  return Array.from({ length: Math.ceil(experts.length / size) }, (_, i) => {
    const members = experts.slice(i * size, (i + 1) * size);
    const inputs = members.flatMap((expert, e) =>
      parts.map((part): [string, tf.TensorInfo] => [`${part}${e}`, expert[part]]),
    );
    return { first: i * size, inputs: Object.fromEntries(inputs), count: members.length };
  });
}

/** WGSL: one function for each of `count` weights, and one more that picks theirs by `expert`. */
export function pickExpert(
  part: keyof Expert,
  count: number,
  {
    suffix,
    parameters,
    one,
  }: { suffix: string; parameters: string; one: (name: string) => string },
): string {
  const names = parameters.split(", ").map((parameter) => parameter.split(":")[0]);
  const each = (code: (e: number) => string): string =>
    Array.from({ length: count }, (_, e) => code(e)).join("\n");
  return `${each((e) => one(`${part}${e}`))}
fn ${part}${suffix}(expert: i32, ${parameters}) -> f32 {
  switch (expert) {
    ${each((e) => `case ${e}: { return ${part}${e}${suffix}(${names.join(", ")}); }`)}
    default: { return 0.0; }
  }
}`;
}
