import { expertKinds } from "../expert-mixture/expert-kinds.ts";
import { differentiable } from "../expert-mixture/expert-mixture-gradient.ts";
import { expertOf } from "../expert-mixture/expert-rows.ts";
import type { KernelInputs } from "../kernel.ts";
import type { FusedKernel } from "./register-fused.ts";

/** Routing, grouping, SwiGLU experts and their weighted sum in one job. */
export const fusedExpertMixture: FusedKernel = {
  name: "LevinExpertMixture",
  run: (engine, inputs, { count }: { count: number }) => {
    const sizes = sizesOf(inputs, count);
    const all = Array.from({ length: count }, (_, e) => expertOf(inputs, e));
    const { kind, downKind } = expertKinds("expertMixture", all, inputs["x"]!.shape[1]!);
    const output = engine.output(inputs["x"]!.shape);
    const bytes = engine.call("expertMixtureBytes", ...sizes, engine.maxThreads);
    const { packing, extra } = engine.packingScratch(bytes);
    engine.run("EXPERT_MIXTURE", [
      ...sizes,
      ...engine.addresses([inputs["x"]!, inputs["experts"]!, inputs["weights"]!, output]),
      ...[packing, extra, kind, downKind],
      ...all.flatMap(({ gate, up, down }) => engine.addresses([gate, up, down])),
    ]);
    return [output];
  },
};

/** Gradients of x, weights and all experts in one job; nothing is kept from the forward pass. */
export const fusedExpertMixtureGradient: FusedKernel = {
  name: "LevinExpertMixtureGradient",
  run: (engine, { upstream, ...inputs }) => {
    const names = differentiable(inputs);
    const gradients = new Map(names.map((name) => [name, engine.output(inputs[name]!.shape)]));
    const count = (names.length - 2) / 3;
    const sizes = sizesOf(inputs, count);
    const { packing, extra } = engine.packingScratch(
      engine.call("expertMixtureGradientBytes", ...sizes),
    );
    const [x, weights] = [gradients.get("x")!, gradients.get("weights")!];
    engine.run("EXPERT_MIXTURE_GRADIENT", [
      ...sizes,
      ...engine.addresses([inputs["x"]!, inputs["experts"]!, inputs["weights"]!, upstream!]),
      ...engine.addresses([x, weights]),
      ...[packing, extra],
      ...experts(count).flatMap((parts) => [
        ...engine.addresses(parts.map((name) => inputs[name]!)),
        ...engine.addresses(parts.map((name) => gradients.get(name)!)),
      ]),
    ]);
    return [...gradients.values()];
  },
};

/** tokens, k, experts, hidden, intermediate: the first arguments of both jobs. */
function sizesOf(inputs: KernelInputs, count: number): number[] {
  const [tokens, hidden] = inputs["x"]!.shape as [number, number];
  return [tokens, inputs["experts"]!.shape[1]!, count, hidden, inputs["gate.0"]!.shape[0]!];
}

function experts(count: number): string[][] {
  return Array.from({ length: count }, (_, e) => [`gate.${e}`, `up.${e}`, `down.${e}`]);
}
