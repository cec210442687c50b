import { join } from "node:path";
import { CheckpointError } from "../checkpoint/byte-source.ts";
import { readSafetensorsFile } from "../checkpoint/file-source.ts";
import type { NamedArray } from "../checkpoint/safetensors-reader.ts";
import type { TokenBatch } from "../token-batch.ts";
import type { Counts } from "./comparison.ts";

/** The golden values of one parity case (SPEC section 12). */
export class GoldenCase {
  readonly tensors: ReadonlyMap<string, NamedArray>;
  readonly batch: Required<TokenBatch>;
  readonly labels: number[][];

  constructor(tensors: ReadonlyMap<string, NamedArray>) {
    this.tensors = tensors;
    this.batch = { ids: this.rows("input_ids"), mask: this.rows("attention_mask") };
    this.labels = this.rows("labels");
  }

  static async read(directory: string): Promise<GoldenCase> {
    return new GoldenCase(await readSafetensorsFile(join(directory, "golden.safetensors")));
  }

  tensor(name: string): NamedArray {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new CheckpointError(`golden.safetensors: expected ${name}, found none`);
    return tensor;
  }

  /** A `[batch, length]` tensor as rows. */
  rows(name: string): number[][] {
    const { shape, values } = this.tensor(name);
    const [batch, length] = shape as [number, number];
    return Array.from({ length: batch }, (_, b) => [
      ...values.subarray(b * length, (b + 1) * length),
    ]);
  }

  /** The id that fills the padding, null when there is none. */
  get paddingId(): number | null {
    const at = this.batch.mask.flat().indexOf(0);
    return at < 0 ? null : this.batch.ids.flat()[at]!;
  }

  /** For values `[batch, length, …]` of `width` numbers per token: true at real tokens. */
  realTokens(width: number): Counts {
    const mask = this.batch.mask.flat();
    return (index) => mask[Math.floor(index / width)] === 1;
  }

  /** For values `[batch, heads, length, headDim]`: true at real tokens. */
  realCacheTokens([, heads, length, headDim]: readonly number[]): Counts {
    return (index) => {
      const row = Math.floor(index / headDim!);
      const batch = Math.floor(row / (heads! * length!));
      return this.batch.mask[batch]![row % length!] === 1;
    };
  }
}
