import * as tf from "@tensorflow/tfjs-core";
import { expertOf } from "../expert-mixture/expert-rows.ts";
import { namedInputs, type KernelInputs } from "../kernel.ts";
import type { FusedEngine } from "../wasm/fused-engine.ts";
import { FusedKernelError } from "../wasm/fused-engine.ts";
import type { NativeAddon } from "./native-addon.ts";

/** A kernel on the memory of the wasm backend; undefined where its WASM form is as good or the only one. */
interface NativeKernel {
  name: string;
  run: (
    addon: NativeAddon,
    engine: FusedEngine,
    inputs: KernelInputs,
    attributes: never,
  ) => tf.TensorInfo | undefined;
}

/** With fewer rows a product is bound by reading its weight, for which WASM is fast enough. */
const fewestRows = 16;

const nativeLinear: NativeKernel = {
  name: "LevinLinear",
  run: (addon, engine, inputs) => {
    const { x, weight } = inputs as { x: tf.Tensor; weight: tf.Tensor };
    const depth = x.shape.at(-1)!;
    const [rows, columns] = [x.size / depth, weight.shape[0]!];
    if (rows < fewestRows || weight.dtype !== "float32") return undefined;
    const y = engine.output([...x.shape.slice(0, -1), columns]);
    const [from, by, to] = floats(engine, [x, weight, y]);
    addon.linear(Int32Array.of(rows, depth, columns), from!, by!, to!);
    return y;
  },
};

const nativeExpertMixture: NativeKernel = {
  name: "LevinExpertMixture",
  run: (addon, engine, inputs, { count }: { count: number }) => {
    const all = Array.from({ length: count }, (_, e) => expertOf(inputs, e));
    const weights = all.flatMap(({ gate, up, down }) => [gate, up, down]);
    const [x, chosen, shares] = [inputs["x"]!, inputs["experts"]!, inputs["weights"]!];
    const [tokens, hidden] = x.shape as [number, number];
    const isFloat = weights.every((weight) => weight.dtype === "float32");
    if (tokens < fewestRows || !isFloat) return undefined;
    const y = engine.output(x.shape);
    const sizes = [tokens, chosen.shape[1]!, count, hidden, all[0]!.gate.shape[0]!];
    const [from, by, share, to] = floats(engine, [x, chosen, shares, y]);
    try {
      const experts = floats(engine, weights);
      addon.expertMixture(Int32Array.from(sizes), from!, by!, share!, to!, experts);
    } catch (error) {
      throw new FusedKernelError("EXPERT_MIXTURE", error);
    }
    return y;
  },
};

function floats(engine: FusedEngine, tensors: readonly tf.TensorInfo[]): Float32Array[] {
  return tensors.map((tensor) => engine.floats(tensor));
}

/** Puts the native kernels in the place of their fused forms on the wasm backend, in the same memory. */
export function registerNativeKernels(
  addon: NativeAddon,
  engine: FusedEngine,
  threads: number,
): void {
  addon.start(threads);
  for (const { name, run } of [nativeLinear, nativeExpertMixture]) {
    const fused = tf.getKernel(name, "wasm");
    tf.unregisterKernel(name, "wasm");
    tf.registerKernel({
      ...fused,
      kernelFunc: (params) => {
        const { inputs, attrs } = params;
        const named = namedInputs(Object.values(inputs) as tf.Tensor[], attrs);
        const output = run(addon, engine, named, attrs as never);
        return output ? [output] : fused.kernelFunc(params);
      },
    });
  }
}
