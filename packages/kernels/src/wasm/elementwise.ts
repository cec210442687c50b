import { floatBits } from "./fused-engine.ts";
import type { FusedKernel } from "./register-fused.ts";

/** x ⊙ σ(x) in one pass. */
export const fusedSilu: FusedKernel = {
  name: "LevinSilu",
  run: (engine, { x }) => {
    const y = engine.output(x!.shape);
    engine.run("SILU", [x!.size, engine.address(x!), engine.address(y)], x!.size);
    return [y];
  },
};

export const fusedSiluGradient: FusedKernel = {
  name: "LevinSiluGradient",
  run: (engine, { upstream, x }) => {
    const gradient = engine.output(x!.shape);
    const addresses = engine.addresses([upstream!, x!, gradient]);
    engine.run("SILU_GRADIENT", [x!.size, ...addresses], x!.size);
    return [gradient];
  },
};

/** σ(gate) ⊙ x in one pass. */
export const fusedSigmoidGate: FusedKernel = {
  name: "LevinSigmoidGate",
  run: (engine, { x, gate }) => {
    const y = engine.output(x!.shape);
    const addresses = engine.addresses([x!, gate!, y]);
    engine.run("SIGMOID_GATE", [x!.size, ...addresses], x!.size);
    return [y];
  },
};

/** Both gradients in one pass. */
export const fusedSigmoidGateGradient: FusedKernel = {
  name: "LevinSigmoidGateGradient",
  run: (engine, { upstream, x, gate }) => {
    const gradients = [engine.output(x!.shape), engine.output(x!.shape)];
    const addresses = engine.addresses([upstream!, x!, gate!, ...gradients]);
    engine.run("SIGMOID_GATE_GRADIENT", [x!.size, ...addresses], x!.size);
    return gradients;
  },
};

/** α a + β b in one pass. */
export const fusedScaledSum: FusedKernel = {
  name: "LevinScaledSum",
  run: (engine, { a, b }, { alpha, beta }: { alpha: number; beta: number }) => {
    const y = engine.output(a!.shape);
    const other = b ? engine.address(b) : 0;
    engine.run(
      "SCALED_SUM",
      [
        ...[a!.size, floatBits(alpha), engine.address(a!), floatBits(beta), other],
        engine.address(y),
      ],
      a!.size,
    );
    return [y];
  },
};
