import type { FusedKernel } from "./register-fused.ts";

/** Losses of all rows, without one-hot targets. */
export const fusedSoftmaxCrossEntropy: FusedKernel = {
  name: "LevinSoftmaxCrossEntropy",
  run: (engine, { logits, targets }) => {
    const losses = engine.output(targets!.shape);
    const addresses = engine.addresses([logits!, targets!, losses]);
    engine.run("SOFTMAX_CROSS_ENTROPY", [...logits!.shape, ...addresses], logits!.size);
    return [losses];
  },
};

export const fusedSoftmaxCrossEntropyGradient: FusedKernel = {
  name: "LevinSoftmaxCrossEntropyGradient",
  run: (engine, { upstream, logits, targets }) => {
    const gradient = engine.output(logits!.shape);
    const addresses = engine.addresses([upstream!, logits!, targets!, gradient]);
    engine.run("SOFTMAX_CROSS_ENTROPY_GRADIENT", [...logits!.shape, ...addresses], logits!.size);
    return [gradient];
  },
};
