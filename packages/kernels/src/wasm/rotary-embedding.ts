import { floatBits } from "./fused-engine.ts";
import type { FusedKernel } from "./register-fused.ts";

/** Rotation in one pass. */
export const fusedRotaryEmbedding: FusedKernel = {
  name: "LevinRotaryEmbedding",
  run: (engine, { x, cos, sin }, { direction }: { direction: number }) => {
    const [batch, heads, length, size] = x!.shape as [number, number, number, number];
    const y = engine.output(x!.shape);
    engine.run(
      "ROTARY_EMBEDDING",
      [
        ...[batch, heads, length, size, cos!.shape[3]!],
        ...[floatBits(direction), cos!.shape[0] === 1 ? 0 : 1],
        ...engine.addresses([x!, cos!, sin!, y]),
      ],
      x!.size,
    );
    return [y];
  },
};
