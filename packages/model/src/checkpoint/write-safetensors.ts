import { CheckpointError } from "./byte-source.ts";
import { encodeElements, elementBytes, elementTypeOf, type WrittenType } from "./element-types.ts";

/** Numbers of one tensor. */
export type TensorValues = Float32Array | Int32Array;

/** One tensor to write; `values` is called when its turn comes, so not all need be in memory. */
export interface TensorToWrite {
  name: string;
  shape: readonly number[];
  type: WrittenType;
  /** int32 numbers for the type int32, else float32 ones. */
  values: () => TensorValues | Promise<TensorValues>;
}

/**
 * The pieces of a safetensors file in order: header first, then each tensor's bytes.
 * @throws CheckpointError when a tensor's values do not fill its shape or are of the wrong type
 */
export async function* safetensorsChunks(
  tensors: readonly TensorToWrite[],
): AsyncGenerator<Uint8Array> {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let offset = 0;
  for (const tensor of tensors) {
    const end = offset + tensorBytes(tensor);
    header[tensor.name] = {
      dtype: elementTypeOf[tensor.type],
      shape: tensor.shape,
      data_offsets: [offset, end],
    };
    offset = end;
  }
  // Padded so that data starts at a multiple of 8, as the reference implementation does.
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json);
  const size = Math.ceil(text.byteLength / 8) * 8;
  const head = new Uint8Array(8 + size).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(size), true);
  head.set(text, 8);
  yield head;
  for (const tensor of tensors) {
    const values = await tensor.values();
    const expected = tensor.shape.reduce((product, n) => product * n, 1);
    if (values.length !== expected) {
      throw new CheckpointError(
        `${tensor.name}: expected ${expected} values for [${tensor.shape}], found ${values.length}`,
      );
    }
    const [wanted, given] = [tensor.type === "int32", values instanceof Int32Array];
    if (wanted !== given) {
      const name = (isInteger: boolean): string => (isInteger ? "int32" : "float32");
      throw new CheckpointError(
        `${tensor.name}: expected ${name(wanted)} numbers, found ${name(given)}`,
      );
    }
    yield encodeElements(values, tensor.type);
  }
}

/** Bytes of one tensor on disk. */
export function tensorBytes({ shape, type }: Pick<TensorToWrite, "shape" | "type">): number {
  return shape.reduce((product, n) => product * n, elementBytes[elementTypeOf[type]]);
}
