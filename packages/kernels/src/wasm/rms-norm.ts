import { floatBits } from "./fused-engine.ts";
import type { FusedKernel } from "./register-fused.ts";

/** Most parts in which the weight's gradient is summed; each is the work of one thread. */
const maxChunks = 32;

/** Norm of each row in one pass. */
export const fusedRmsNorm: FusedKernel = {
  name: "LevinRmsNorm",
  run: (engine, { x, weight }, { epsilon }: { epsilon: number }) => {
    const size = weight!.size;
    const y = engine.output(x!.shape);
    const addresses = engine.addresses([x!, weight!, y]);
    engine.run("RMS_NORM", [x!.size / size, size, floatBits(epsilon), ...addresses], x!.size);
    return [y];
  },
};

/** Gradients of rows and weight in one pass. */
export const fusedRmsNormGradient: FusedKernel = {
  name: "LevinRmsNormGradient",
  run: (engine, { upstream, x, weight }, { epsilon }: { epsilon: number }) => {
    const size = weight!.size;
    const rows = x!.size / size;
    const chunks = Math.min(rows, maxChunks);
    const gradients = [engine.output(x!.shape), engine.output([size])];
    const scratch = engine.scratch(4 * chunks * size);
    const addresses = engine.addresses([upstream!, x!, weight!, ...gradients]);
    engine.run(
      "RMS_NORM_GRADIENT",
      [rows, size, floatBits(epsilon), ...addresses, chunks, scratch],
      x!.size,
    );
    return gradients;
  },
};
