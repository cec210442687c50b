import {
  isQuantizable,
  type quantizedBlockSize,
  quantizedWords,
  type QuantizedBits,
} from "@levin/kernels";
import { CheckpointError } from "./byte-source.ts";

/** How the large matrices of a checkpoint are stored: `"quantization"` of config.json. */
export interface Quantization {
  bits: QuantizedBits;
  /** Weights that share a scale. */
  blockSize: typeof quantizedBlockSize;
}

/** Projections of attention, and matrices of experts and of layers without them. */
const matrices =
  /\.(self_attn\.(qkv_proj|output_gate|out_proj|[qkvo]_proj)|(experts\.\d+|shared_expert|mlp)\.w[123])\.weight$/;

/**
 * Shape of the int32 blocks in which a tensor is stored, or undefined for one that stays in a float
 * type: norms, router gates, embedding and head (few, or sensitive), and rows that are no whole blocks.
 *
 * @param shape the tensor's own, its rows last
 */
export function quantizedShape(
  name: string,
  shape: readonly number[],
  quantization: Quantization | undefined,
): number[] | undefined {
  const columns = shape.at(-1) ?? 0;
  if (!quantization || !matrices.test(name) || !isQuantizable(columns)) return undefined;
  return [...shape.slice(0, -1), quantizedWords(columns, quantization.bits)];
}

/** @throws CheckpointError when a scale is NaN or infinite */
export function checkScales(name: string, words: Int32Array, { bits }: Quantization): void {
  const scales = new Float32Array(words.buffer, words.byteOffset, words.length);
  for (let block = 0; block < words.length; block += 1 + bits) {
    if (!Number.isFinite(scales[block])) {
      throw new CheckpointError(`${name}: expected finite scales, found ${scales[block]}`);
    }
  }
}
