import type * as tf from "@tensorflow/tfjs-core";
import type { KernelInputs } from "../kernel.ts";
import { differentiable } from "../lightning-attention/lightning-attention-gradient.ts";
import type { LightningAttributes } from "../lightning-attention/lightning-attention.ts";
import type { FusedEngine } from "./fused-engine.ts";
import type { FusedKernel } from "./register-fused.ts";

/** All blocks of a head in one go, the state in cache; one token takes a pass over the state. */
export const fusedLightningAttention: FusedKernel = {
  name: "LevinLightningAttention",
  run: (engine, inputs, { slopes }: LightningAttributes) => {
    const { queries, keys, values, state, mask } = inputs as LightningTensors;
    const [batch, heads, length, headDim] = queries.shape as [number, number, number, number];
    const output = engine.output(queries.shape);
    const next = engine.output([batch, heads, headDim, headDim]);
    const tensors = engine.addresses([queries, keys, values, state, mask, output, next]);
    const pairs = batch * heads;
    if (length === 1) {
      const slices = slicesFor(engine, pairs, Math.ceil(headDim / 4));
      const decay = slopes.map((slope) => Math.exp(-slope));
      engine.run(
        "LIGHTNING_STEP",
        [pairs, heads, headDim, slices, ...tensors, ...bitsOf(Float32Array.from(decay))],
        pairs * headDim * headDim,
      );
    } else {
      const block = blockFor(length, headDim);
      const slices = slicesFor(engine, pairs, Math.ceil(headDim / 8));
      engine.run("LIGHTNING_ATTENTION", [
        ...[pairs, heads, length, headDim, block, slices, ...tensors],
        ...sweepScratch(engine, block, headDim),
        ...bitsOf(decayPowers(slopes, block)),
      ]);
    }
    return [output, next];
  },
};

/** The gradients of queries, keys and values as sweeps of the same form, none of them reversed in memory. */
export const fusedLightningAttentionGradient: FusedKernel = {
  name: "LevinLightningAttentionGradient",
  run: (engine, inputs, { slopes }: LightningAttributes) => {
    const { queries, keys, values, state, mask, outputGradient, nextGradient } =
      inputs as LightningTensors;
    const [batch, heads, length, headDim] = queries.shape as [number, number, number, number];
    const gradients = differentiable(inputs).map((name) => engine.output(inputs[name]!.shape));
    const [queriesGradient, keysGradient, valuesGradient, stateGradient] = gradients;
    const pairs = batch * heads;
    const block = blockFor(length, headDim);
    const slices = slicesFor(engine, pairs * 3, Math.ceil(headDim / 8));
    engine.run("LIGHTNING_ATTENTION_GRADIENT", [
      ...[pairs, heads, length, headDim, block, slices],
      ...engine.addresses([queries, keys, values, state, mask, outputGradient, nextGradient]),
      ...engine.addresses([queriesGradient, keysGradient, valuesGradient, stateGradient]),
      ...sweepScratch(engine, block, headDim),
      ...bitsOf(decayPowers(slopes, block)),
    ]);
    return gradients;
  },
};

type LightningTensors = KernelInputs &
  Record<"queries" | "keys" | "values", tf.Tensor> &
  Partial<Record<"state" | "mask" | "outputGradient" | "nextGradient", tf.Tensor>>;

/** Tokens per block: long blocks cost more in scores, short ones more in passes over the state. */
function blockFor(length: number, headDim: number): number {
  return Math.min(headDim <= 32 ? 32 : 64, Math.ceil(length / 8) * 8);
}

/** Into how many slices of columns a pair is cut, so that no thread is without work. */
function slicesFor(engine: FusedEngine, pairs: number, most: number): number {
  return Math.min(most, Math.max(1, Math.ceil(engine.threads / pairs)));
}

function sweepScratch(engine: FusedEngine, block: number, headDim: number): [number, number] {
  const bytes = engine.call("sweepBytes", block, headDim);
  return [engine.scratch(bytes * engine.maxThreads), bytes];
}

/** The table that `powersOf` in assembly/lightning-sweep.ts describes, rounded once from float64. */
function decayPowers(slopes: readonly number[], block: number): Float32Array {
  const width = block + 16;
  const table = new Float32Array(slopes.length * width);
  slopes.forEach((slope, head) => {
    for (let distance = 0; distance < block + 8; distance++) {
      table[head * width + 8 + distance] = Math.exp(-slope * distance);
    }
  });
  return table;
}

function bitsOf(floats: Float32Array): Int32Array {
  return new Int32Array(floats.buffer);
}
