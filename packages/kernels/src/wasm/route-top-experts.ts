import type { FusedKernel } from "./register-fused.ts";

/** So many numbers of an elementwise job take as long as one logit. */
const effort = 8;

/** Choice and softmax of each token in one pass. */
export const fusedRouteTopExperts: FusedKernel = {
  name: "LevinRouteTopExperts",
  run: (engine, { logits }, { k }: { k: number }) => {
    const [rows, count] = logits!.shape as [number, number];
    const experts = engine.output([rows, k], "int32");
    const weights = engine.output([rows, k]);
    engine.run(
      "ROUTE_TOP_EXPERTS",
      [rows, count, k, ...engine.addresses([logits!, experts, weights])],
      effort * logits!.size,
    );
    return [experts, weights];
  },
};

export const fusedRouteTopExpertsGradient: FusedKernel = {
  name: "LevinRouteTopExpertsGradient",
  run: (engine, { upstream, experts, weights }, { count }: { count: number }) => {
    const [rows, k] = weights!.shape as [number, number];
    const gradient = engine.output([rows, count]);
    engine.run(
      "ROUTE_TOP_EXPERTS_GRADIENT",
      [...[rows, count, k], ...engine.addresses([upstream!, experts!, weights!, gradient])],
      rows * count,
    );
    return [gradient];
  },
};
