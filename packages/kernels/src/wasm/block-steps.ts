import type * as tf from "@tensorflow/tfjs-core";
import { floatBits, type FusedEngine } from "./fused-engine.ts";
import type { FusedKernel } from "./register-fused.ts";

/** Attributes that both blocks of a decoder layer share; α, β and norm of SPEC section 5. */
interface ResidualAttributes {
  epsilon: number;
  alpha: number;
  beta: number;
  postnorm: boolean;
}

/** One token through norm, lightning attention and residual. */
export const fusedLightningBlockStep: FusedKernel = {
  name: "LevinLightningBlockStep",
  run: (engine, inputs, attributes: ResidualAttributes & { slopes: number[] }) => {
    const { hidden, norm, state } = inputs;
    const [batch, heads, headDim] = state!.shape as [number, number, number];
    const width = hidden!.shape.at(-1)!;
    const output = engine.output(hidden!.shape);
    const nextState = engine.output(state!.shape);
    const sizes = [batch, width, heads, headDim, engine.maxThreads];
    const work = engine.scratch(engine.call("lightningBlockStepBytes", ...sizes));
    const names = ["qkvProjection", "innerNorm", "outputGate", "outputProjection", "state"];
    engine.run("LIGHTNING_BLOCK_STEP", [
      ...residual(engine, hidden!, output, norm!, attributes),
      ...[heads, headDim, ...names.map((name) => engine.address(inputs[name]!))],
      ...[engine.address(nextState), work],
      ...attributes.slopes.map((slope) => floatBits(Math.exp(-slope))),
    ]);
    return [output, nextState];
  },
};

/** One token through norm, router, chosen experts and residual. */
export const fusedMixtureBlockStep: FusedKernel = {
  name: "LevinMixtureBlockStep",
  run: (engine, inputs, attributes: ResidualAttributes & { k: number }) => {
    const { hidden, norm, router } = inputs;
    const width = hidden!.shape.at(-1)!;
    const batch = hidden!.shape[0]!;
    const count = router!.shape[0]!;
    const intermediate = inputs["gate.0"]!.shape[0]!;
    const output = engine.output(hidden!.shape);
    const sizes = [batch, width, attributes.k, count, intermediate, engine.maxThreads];
    const work = engine.scratch(engine.call("mixtureBlockStepBytes", ...sizes));
    engine.run("MIXTURE_BLOCK_STEP", [
      ...residual(engine, hidden!, output, norm!, attributes),
      ...[attributes.k, count, intermediate, engine.address(router!), work],
      ...Array.from({ length: count }, (_, e) => [`gate.${e}`, `up.${e}`, `down.${e}`])
        .flat()
        .map((name) => engine.address(inputs[name]!)),
    ]);
    return [output];
  },
};

/** The first arguments of both jobs. */
function residual(
  engine: FusedEngine,
  hidden: tf.TensorInfo,
  output: tf.TensorInfo,
  norm: tf.TensorInfo,
  { epsilon, alpha, beta, postnorm }: ResidualAttributes,
): number[] {
  return [
    ...[hidden.shape[0]!, hidden.shape.at(-1)!],
    ...[hidden, output, norm].map((tensor) => engine.address(tensor)),
    ...[epsilon, alpha, beta].map(floatBits),
    postnorm ? 1 : 0,
  ];
}
