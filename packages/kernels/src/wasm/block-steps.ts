import type * as tf from "@tensorflow/tfjs-core";
import { expertKinds } from "../expert-mixture/expert-kinds.ts";
import { expertOf } from "../expert-mixture/expert-rows.ts";
import { KernelShapeError, type KernelInputs } from "../kernel.ts";
import { weightKind } from "../quantized/block-layout.ts";
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
    const kinds = lightningKinds(inputs, width, heads * headDim);
    const output = engine.output(hidden!.shape);
    const nextState = engine.output(state!.shape);
    const sizes = [batch, width, heads, headDim, engine.maxThreads];
    const work = engine.scratch(engine.call("lightningBlockStepBytes", ...sizes));
    const names = ["qkvProjection", "innerNorm", "outputGate", "outputProjection", "state"];
    engine.run("LIGHTNING_BLOCK_STEP", [
      ...residual(engine, hidden!, output, norm!, attributes),
      ...[heads, headDim, ...engine.addresses(names.map((name) => inputs[name]!))],
      ...[engine.address(nextState), work, ...kinds],
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
    const experts = Array.from({ length: count }, (_, e) => expertOf(inputs, e));
    const { kind, downKind } = expertKinds("mixtureBlockStep", experts, width);
    const intermediate = inputs["gate.0"]!.shape[0]!;
    const output = engine.output(hidden!.shape);
    const sizes = [batch, width, attributes.k, count, intermediate, engine.maxThreads];
    const work = engine.scratch(engine.call("mixtureBlockStepBytes", ...sizes));
    engine.run("MIXTURE_BLOCK_STEP", [
      ...residual(engine, hidden!, output, norm!, attributes),
      ...[attributes.k, count, intermediate, engine.address(router!), work, kind, downKind],
      ...experts.flatMap(({ gate, up, down }) => engine.addresses([gate, up, down])),
    ]);
    return [output];
  },
};

/** Kind of the weights that read the block's input, and of its output projection. */
function lightningKinds(
  { qkvProjection, outputGate, outputProjection }: KernelInputs,
  hidden: number,
  width: number,
): number[] {
  const name = "lightningBlockStep";
  const kind = weightKind(name, qkvProjection!, [3 * width, hidden]);
  const gateKind = weightKind(name, outputGate!, [width, hidden]);
  if (gateKind !== kind) {
    throw new KernelShapeError(
      name,
      "qkvProjection and outputGate of the same kind",
      `${qkvProjection!.dtype} [${qkvProjection!.shape}] and ${outputGate!.dtype} [${outputGate!.shape}]`,
    );
  }
  return [kind, weightKind(name, outputProjection!, [hidden, width])];
}

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
    ...engine.addresses([hidden, output, norm]),
    ...[epsilon, alpha, beta].map(floatBits),
    postnorm ? 1 : 0,
  ];
}
