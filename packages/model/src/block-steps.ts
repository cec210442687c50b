import { defineKernel, type KernelInputs } from "@levin/kernels";
import { LightningAttention, LightningAttentionState } from "@levin/lightning-attention";
import { MixtureOfExperts } from "@levin/moe";
import * as tf from "@tensorflow/tfjs-core";
import { normalisedBranch, type BlockFactors } from "./normalised-branch.ts";

/*
 * The two blocks of a decoder layer as one kernel each, for decoding: there a layer's arithmetic is
 * small, and the overhead of its many operations would be most of the time. References compose the
 * layers; fused forms are registered by `@levin/kernels`.
 */

const runLightning = defineKernel<BlockFactors & { slopes: number[] }>({
  name: "LevinLightningBlockStep",
  reference: ({ hidden, norm, state, ...weights }, { slopes, ...factors }) => {
    const [, numHeads, headDim] = state!.shape as [number, number, number];
    const { qkvProjection, innerNorm, outputGate, outputProjection } = weights;
    const layer = new LightningAttention(
      { hiddenSize: hidden!.shape[2]!, numHeads, headDim, slopes },
      {
        qkvProjection: qkvProjection!,
        norm: innerNorm!,
        outputGate: outputGate!,
        outputProjection: outputProjection!,
      },
    );
    const moving = new LightningAttentionState(tf.clone(state as tf.Tensor4D));
    const output = normalisedBranch(hidden as tf.Tensor3D, norm!, factors, (x) =>
      layer.prefill(x, moving),
    );
    const next = tf.clone(moving.matrix);
    moving.dispose();
    return [output, next];
  },
});

/**
 * One token of each row through norm, lightning attention and residual; `state` moves on.
 *
 * @param hidden `[batch, 1, hidden]`
 */
export function lightningBlockStep(
  hidden: tf.Tensor3D,
  norm: tf.Tensor,
  layer: LightningAttention,
  state: LightningAttentionState,
  factors: BlockFactors,
): tf.Tensor3D {
  const { norm: innerNorm, ...weights } = layer.parameters;
  const inputs = { hidden, norm, state: state.matrix, innerNorm, ...weights };
  const [output, next] = runLightning(inputs, { ...factors, slopes: layer.config.slopes });
  state.update(next as tf.Tensor4D);
  return output as tf.Tensor3D;
}

const runMixture = defineKernel<BlockFactors & { k: number }>({
  name: "LevinMixtureBlockStep",
  reference: ({ hidden, norm, router, ...experts }, { k, ...factors }) => {
    const layer = new MixtureOfExperts(
      {
        hiddenSize: hidden!.shape[2]!,
        intermediateSize: experts["gate.0"]!.shape[0]!,
        numExperts: router!.shape[0]!,
        numExpertsPerToken: k,
      },
      { router: router!, experts: expertsOf(experts, router!.shape[0]!) },
    );
    return [
      normalisedBranch(hidden as tf.Tensor3D, norm!, factors, (x) => layer.forward(x).output),
    ];
  },
});

function expertsOf(inputs: KernelInputs, count: number) {
  return Array.from({ length: count }, (_, e) => ({
    gate: inputs[`gate.${e}`]!,
    up: inputs[`up.${e}`]!,
    down: inputs[`down.${e}`]!,
  }));
}

/**
 * One token of each row through norm, router, chosen experts and residual.
 *
 * @param hidden `[batch, 1, hidden]`
 */
export function mixtureBlockStep(
  hidden: tf.Tensor3D,
  norm: tf.Tensor,
  layer: MixtureOfExperts,
  factors: BlockFactors,
): tf.Tensor3D {
  const { router, experts } = layer.parameters;
  const named = experts.flatMap(({ gate, up, down }, e) => [
    [`gate.${e}`, gate] as const,
    [`up.${e}`, up] as const,
    [`down.${e}`, down] as const,
  ]);
  const inputs = { hidden, norm, router, ...Object.fromEntries(named) };
  return runMixture(inputs, {
    ...factors,
    k: layer.config.numExpertsPerToken,
  })[0] as tf.Tensor3D;
}
