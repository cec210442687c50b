import type * as tf from "@tensorflow/tfjs-core";
import { listOf } from "../tensor-lists.ts";
import type { FusedEngine } from "./fused-engine.ts";
import type { FusedKernel } from "./register-fused.ts";

/** Transposition and split in one copy. */
export const fusedSplitHeads: FusedKernel = {
  name: "LevinSplitHeads",
  run: (engine, { x }, { heads, parts }: { heads: number; parts: number }) => {
    const [batch, length, width] = x!.shape as [number, number, number];
    const shape = [batch, heads, length, width / (heads * parts)];
    const outputs = Array.from({ length: parts }, () => engine.output(shape));
    move(engine, "SPLIT_HEADS", x!, outputs);
    return outputs;
  },
};

/** Concatenation and transposition in one copy. */
export const fusedMergeHeads: FusedKernel = {
  name: "LevinMergeHeads",
  run: (engine, inputs) => {
    const parts = listOf(inputs, "parts");
    const [batch, heads, length, size] = parts[0]!.shape as [number, number, number, number];
    const rows = engine.output([batch, length, heads * parts.length * size]);
    move(engine, "MERGE_HEADS", rows, parts);
    return [rows];
  },
};

function move(
  engine: FusedEngine,
  kernel: string,
  rows: tf.TensorInfo,
  parts: readonly tf.TensorInfo[],
): void {
  const [batch, heads, length, size] = parts[0]!.shape as [number, number, number, number];
  engine.run(
    kernel,
    [
      ...[batch, length, heads, parts.length, size, engine.address(rows)],
      ...parts.map((part) => engine.address(part)),
    ],
    batch * length * heads * parts.length * size,
  );
}
