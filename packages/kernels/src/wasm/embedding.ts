import type { FusedKernel } from "./register-fused.ts";

/** Sums the rows of each id where they lie. */
export const fusedEmbeddingGradient: FusedKernel = {
  name: "LevinEmbeddingGradient",
  run: (engine, { upstream, ids, table }, { paddingId }: { paddingId: number }) => {
    const gradient = engine.output(table!.shape);
    engine.run(
      "EMBEDDING_GRADIENT",
      [
        ...[ids!.size, ...table!.shape, paddingId],
        ...[ids!, upstream!, gradient].map((tensor) => engine.address(tensor)),
      ],
      upstream!.size,
    );
    return [gradient];
  },
};
