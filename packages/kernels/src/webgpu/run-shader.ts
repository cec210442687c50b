import type { WebGPUBackend, WebGPUProgram } from "@tensorflow/tfjs-backend-webgpu";
import type * as tf from "@tensorflow/tfjs-core";

/** Values that change the code of a shader; each combination is compiled once. */
export type Variant = Record<string, number | boolean>;

/** A WGSL program. Its inputs are arrays named as in {@link ShaderCall}, its output is `result`. */
export interface Shader<V extends Variant> {
  name: string;
  /** Threads of a workgroup; they are numbered by `localIndex`. */
  threads: number;
  /**
   * Code with `fn main(index: i32)`, where `index / threads` is the number of a flat dispatch's
   * workgroup. Every input must be used, and `uniforms.` at least once: WebGPU drops what is not.
   */
  code: (variant: V) => string;
}

/** Tensors, numbers and size of one dispatch. */
export interface ShaderCall<V extends Variant> {
  variant: V;
  inputs: Record<string, tf.TensorInfo>;
  /** Inputs that the code reads as `vec4`. */
  vectors?: readonly string[];
  /** Whole numbers, `uniforms.name`: i32. */
  sizes: Record<string, number>;
  /** Other numbers, `uniforms.name`: f32. */
  factors?: Record<string, number>;
  /** Lists of other numbers: entry i is `uniforms.name[i / 4][i % 4]`. */
  lists?: Record<string, readonly number[]>;
  /** A new tensor's shape and type (float32 unless said), or a tensor that is written to. */
  output: tf.TensorInfo | { shape: number[]; dtype?: "float32" | "int32" };
  /** Workgroups; a flat dispatch gives their number, of any size. */
  workgroups: number | [number, number, number];
}

/** Puts a shader into the queue of the GPU; its output. */
export function runShader<V extends Variant>(
  backend: WebGPUBackend,
  shader: Shader<V>,
  call: ShaderCall<V>,
): tf.TensorInfo {
  const { variant, inputs, vectors = [], sizes, factors = {}, lists = {}, workgroups } = call;
  const quads = Object.entries(lists).map(([name, list]) => ({ name, quads: inQuads(list) }));
  const names = Object.keys(inputs);
  const { output } = call;
  const target =
    "dataId" in output ? output : backend.makeTensorInfo(output.shape, output.dtype ?? "float32");
  const program: WebGPUProgram = {
    shaderKey: [
      ...[shader.name, JSON.stringify(variant), vectors.join()],
      ...quads.map((list) => list.quads.length),
    ].join(" "),
    variableNames: names,
    variableComponents: names.map((name) => (vectors.includes(name) ? 4 : 1)),
    uniforms: [
      ...Object.keys(sizes).map((name) => `${name} : i32, `),
      ...Object.keys(factors).map((name) => `${name} : f32, `),
      ...quads.map((list) => `${list.name} : array<vec4<f32>, ${list.quads.length}>, `),
    ].join(""),
    outputShape: target.shape,
    workgroupSize: [shader.threads, 1, 1],
    dispatchLayout: { x: [0] },
    dispatch: typeof workgroups === "number" ? [workgroups, 1, 1] : workgroups,
    getUserCode: () => shader.code(variant),
  };
  backend.runWebGPUProgram(
    program,
    names.map((name) => shapeless(inputs[name]!)),
    target.dtype,
    [
      ...Object.values(sizes).map((value) => ({ type: "int32", data: [value] })),
      ...Object.values(factors).map((value) => ({ type: "float32", data: [value] })),
      ...quads.flatMap((list) => list.quads.map((data) => ({ type: "float32", data }))),
    ],
    shapeless(target),
  );
  return target;
}

/** Disposes of tensors that only other dispatches needed; the backend keeps them until these are done. */
export function release(backend: WebGPUBackend, ...tensors: tf.TensorInfo[]): void {
  for (const { dataId } of tensors) backend.disposeData(dataId);
}

/** Four numbers each, the last filled up with zeros. */
function inQuads(list: readonly number[]): number[][] {
  return Array.from({ length: Math.ceil(list.length / 4) }, (_, quad) =>
    Array.from({ length: 4 }, (_unused, i) => list[4 * quad + i] ?? 0),
  );
}

/**
 * A tensor without its shape, which only the caller needs: tfjs compiles a shader anew for each relation
 * of shapes. (One with no numbers keeps that, so that tfjs computes nothing.)
 */
function shapeless({ dataId, dtype, shape }: tf.TensorInfo): tf.TensorInfo {
  return { dataId, dtype, shape: [shape.includes(0) ? 0 : 1] };
}
