import {
  quantizedBlockSize,
  QuantizationError,
  quantizedWords,
  wordsPerBlock,
  type QuantizedBits,
} from "./block-layout.ts";

/**
 * Rounds a matrix to blocks of whole numbers with a common scale (layout in block-layout.ts).
 *
 * 8 bits: the scale is the largest magnitude / 127, so each weight errs by at most half a scale.
 * 4 bits: of some scales near the one that takes the largest magnitude to −8, the one whose squared
 * error over the block is least, refined once by least squares.
 *
 * @param values float32 weights `[rows, columns]`, row by row
 * @returns int32 words `[rows, quantizedWords(columns, bits)]`
 * @throws QuantizationError when rows are not whole blocks, or a weight is NaN or infinite
 */
export function quantize(
  values: Float32Array,
  [rows, columns]: readonly [number, number],
  bits: QuantizedBits,
): Int32Array {
  const words = new Int32Array(rows * quantizedWords(columns, bits));
  if (values.length !== rows * columns) {
    throw new QuantizationError(
      `quantised weights: expected ${rows * columns} values for [${rows},${columns}], found ${values.length}`,
    );
  }
  const width = wordsPerBlock(bits);
  const blocks = values.length / quantizedBlockSize;
  for (let block = 0; block < blocks; block++) {
    const start = block * quantizedBlockSize;
    const weights = values.subarray(start, start + quantizedBlockSize);
    const target = words.subarray(block * width, (block + 1) * width);
    if (bits === 8) quantizeTo8(weights, target);
    else quantizeTo4(weights, target);
  }
  return words;
}

const inFloat = new Float32Array(1);
const inBits = new Int32Array(inFloat.buffer);

/** Writes a scale to a block's first word. */
function setScale(block: Int32Array, scale: number): void {
  inFloat[0] = scale;
  block[0] = inBits[0]!;
}

/** The weight of largest magnitude, with its sign. */
function largest(weights: Float32Array): number {
  let most = 0;
  for (const weight of weights) {
    if (!Number.isFinite(weight)) {
      throw new QuantizationError(`quantised weights: expected finite weights, found ${weight}`);
    }
    if (Math.abs(weight) > Math.abs(most)) most = weight;
  }
  return most;
}

function quantizeTo8(weights: Float32Array, block: Int32Array): void {
  const scale = Math.fround(Math.abs(largest(weights)) / 127);
  setScale(block, scale);
  if (scale === 0) return;
  weights.forEach((weight, k) => {
    // A scale below float32's normal range is rough; its weights must not leave a byte.
    const q = Math.max(-127, Math.min(127, Math.round(weight / scale)));
    block[1 + (k >> 2)]! |= (q & 255) << (8 * (k & 3));
  });
}

/** Magnitudes that the largest weight may be given; −8 alone would waste the steps of others. */
const candidates = [-8.8, -8.4, -8, -7.6, -7.2, -6.8, 7.4, 7];

function quantizeTo4(weights: Float32Array, block: Int32Array): void {
  const most = largest(weights);
  if (Math.fround(most / 8) === 0) return setScale(block, 0);
  const tried = candidates.flatMap((magnitude) => {
    const scale = Math.fround(most / magnitude);
    const better = leastSquares(weights, scale);
    return better === scale ? [scale] : [scale, better];
  });
  const scale = tried.reduce((best, other) =>
    squaredError(weights, other) < squaredError(weights, best) ? other : best,
  );
  setScale(block, scale);
  weights.forEach((weight, k) => {
    // Word j of 16 bits holds the numbers j, 8 + j, 16 + j, 24 + j.
    const place = 16 * (k & 1) + 4 * (k >> 3);
    block[1 + ((k & 7) >> 1)]! |= (nibble(weight, scale) & 15) << place;
  });
}

function nibble(weight: number, scale: number): number {
  return Math.max(-8, Math.min(7, Math.round(weight / scale)));
}

/** The scale that suits best the whole numbers that `scale` gives. */
function leastSquares(weights: Float32Array, scale: number): number {
  let [along, square] = [0, 0];
  for (const weight of weights) {
    const q = nibble(weight, scale);
    along += weight * q;
    square += q * q;
  }
  const better = Math.fround(along / square);
  return better !== 0 && Number.isFinite(better) ? better : scale;
}

function squaredError(weights: Float32Array, scale: number): number {
  let error = 0;
  for (const weight of weights) error += (weight - scale * nibble(weight, scale)) ** 2;
  return error;
}
