/** Element types that are read; float types become float32, integer types int32. */
export type ElementType = "F32" | "BF16" | "F16" | "I32" | "I64";

/** Element types that weights can be written in. */
export type WeightType = "float32" | "bfloat16" | "float16";

export const elementBytes: Record<ElementType, number> = {
  F32: 4,
  BF16: 2,
  F16: 2,
  I32: 4,
  I64: 8,
};

/** Types of written tensors: weights, and blocks of quantised ones. */
export type WrittenType = WeightType | "int32";

export const elementTypeOf: Record<WrittenType, ElementType> = {
  float32: "F32",
  bfloat16: "BF16",
  float16: "F16",
  int32: "I32",
};

/** Little-endian bytes of one tensor as numbers. */
export function decodeElements(bytes: Uint8Array, type: ElementType): Float32Array | Int32Array {
  // A typed array needs an aligned buffer; a fresh copy always is.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset, byteLength } = aligned;
  const count = byteLength / elementBytes[type];
  switch (type) {
    case "F32":
      return new Float32Array(buffer as ArrayBuffer, byteOffset, count);
    case "I32":
      return new Int32Array(buffer as ArrayBuffer, byteOffset, count);
    case "I64":
      return Int32Array.from(new BigInt64Array(buffer as ArrayBuffer, byteOffset, count), Number);
    case "BF16":
      return widenBfloat16(new Uint16Array(buffer as ArrayBuffer, byteOffset, count));
    case "F16":
      return Float32Array.from(
        new Uint16Array(buffer as ArrayBuffer, byteOffset, count),
        widenFloat16,
      );
  }
}

/** float32 numbers as little-endian bytes of a weight type, rounded to nearest even. */
export function encodeElements(values: Float32Array, type: WeightType): Uint8Array;
export function encodeElements(values: Float32Array | Int32Array, type: WrittenType): Uint8Array;
export function encodeElements(values: Float32Array | Int32Array, type: WrittenType): Uint8Array {
  switch (type) {
    case "int32":
    case "float32":
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    case "bfloat16":
      return new Uint8Array(narrowBfloat16(values as Float32Array).buffer);
    case "float16":
      return new Uint8Array(Uint16Array.from(values, narrowFloat16).buffer);
  }
}

/** bfloat16 is the upper half of a float32. */
function widenBfloat16(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
}

function narrowBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    const rounded = word + 0x7fff + ((word >>> 16) & 1);
    halves[i] = isNaN ? (word >>> 16) | 0x40 : rounded >>> 16;
  }
  return halves;
}

function widenFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function narrowFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  // Below 2^-14 numbers are multiples of 2^-24; above, of 2^(exponent − 10).
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -24)));
  const units = roundToEven(size / 2 ** (exponent - 10));
  // A carry out of the fraction rightly raises the exponent.
  return sign | (((exponent + 14) << 10) + units);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
