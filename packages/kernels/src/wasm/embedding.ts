import type { FusedKernel } from "./register-fused.ts";

/** Rows of the table. */
export const fusedEmbedding: FusedKernel = {
  name: "LevinEmbedding",
  run: (engine, { ids, table }) => {
    const [rows, width] = table!.shape as [number, number];
    const y = engine.output([...ids!.shape, width]);
    engine.run(
      "EMBEDDING",
      [...[ids!.size, rows, width], ...engine.addresses([ids!, table!, y])],
      ids!.size * width,
    );
    return [y];
  },
};

/** Sums the rows of each id where they lie. */
export const fusedEmbeddingGradient: FusedKernel = {
  name: "LevinEmbeddingGradient",
  run: (engine, { upstream, ids, table }, { paddingId }: { paddingId: number }) => {
    const gradient = engine.output(table!.shape);
    engine.run(
      "EMBEDDING_GRADIENT",
      [
        ...[ids!.size, ...table!.shape, paddingId],
        ...engine.addresses([ids!, upstream!, gradient]),
      ],
      upstream!.size,
    );
    return [gradient];
  },
};
