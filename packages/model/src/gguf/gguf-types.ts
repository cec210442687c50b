import { encodeElements, type ElementType, type WeightType } from "../checkpoint/element-types.ts";

/** Types of weights by llama.cpp's names; `q8_0` has 8 bits and a float16 scale for every 32. */
export type GgufType = "f32" | "f16" | "bf16" | "q8_0";

/** Their numbers in a file. */
export const ggufTypeIds: Record<GgufType, number> = { f32: 0, f16: 1, bf16: 30, q8_0: 8 };

/** What `general.file_type` calls a file whose matrices are of a type. */
export const ggufFileTypes: Record<GgufType, number> = { f32: 0, f16: 1, bf16: 32, q8_0: 7 };

/** Weights that share a scale. */
const block = 32;
const blockBytes = 2 + block;

/** Bytes of one weight. */
export const ggufElementBytes: Record<GgufType, number> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: blockBytes / block,
};

/** True where rows of so many weights can be stored in a type. */
export function fitsGgufType(columns: number, type: GgufType): boolean {
  return type !== "q8_0" || columns % block === 0;
}

/** The type that stores what a checkpoint has without loss. */
export function ggufTypeOf(type: ElementType): GgufType {
  if (type === "BF16") return "bf16";
  return type === "F16" ? "f16" : "f32";
}

const weightTypes: Record<Exclude<GgufType, "q8_0">, WeightType> = {
  f32: "float32",
  f16: "float16",
  bf16: "bfloat16",
};

/** float32 weights as the bytes of a type; for `q8_0` their number must be a multiple of 32. */
export function encodeGgufElements(values: Float32Array, type: GgufType): Uint8Array {
  return type === "q8_0" ? encodeBlocks(values) : encodeElements(values, weightTypes[type]);
}

/** Blocks of a float16 scale and 32 signed bytes. */
function encodeBlocks(values: Float32Array): Uint8Array {
  const count = values.length / block;
  const scales = new Float32Array(count);
  const bytes = new Uint8Array(count * blockBytes);
  for (let b = 0; b < count; b++) {
    let largest = 0;
    for (let i = b * block; i < (b + 1) * block; i++) {
      largest = Math.max(largest, Math.abs(values[i]!));
    }
    scales[b] = largest / 127;
    const inverse = largest === 0 ? 0 : 127 / largest;
    for (let i = 0; i < block; i++) {
      // The low byte of a negative number is its two's complement.
      bytes[b * blockBytes + 2 + i] = Math.round(values[b * block + i]! * inverse);
    }
  }
  const halves = encodeElements(scales, "float16");
  for (let b = 0; b < count; b++) bytes.set(halves.subarray(2 * b, 2 * b + 2), b * blockBytes);
  return bytes;
}
