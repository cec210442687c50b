import type { FusedKernel } from "./register-fused.ts";

/** Rows of the table. */
export const fusedEmbedding: FusedKernel = {
  name: "LevinEmbedding",
  run: (engine, { ids, table }) => {
    const [rows, width] = table!.shape as [number, number];
    const y = engine.output([...ids!.shape, width]);
    engine.run(
      "EMBEDDING",
      [...[ids!.size, rows, width], ...[ids!, table!, y].map((tensor) => engine.address(tensor))],
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
        ...[ids!, upstream!, gradient].map((tensor) => engine.address(tensor)),
      ],
      upstream!.size,
    );
    return [gradient];
  },
};
