import { wordsPerBlock, type WeightKind } from "../quantized/block-layout.ts";

/*
 * WGSL that reads weights [out, in] of any kind where they lie, see quantized/block-layout.ts. `columns`
 * is an expression for the numbers of a row.
 */

/** `fn {name}At(row, column) -> f32`: one weight of the input `name`. */
export function weightAt(name: string, kind: WeightKind, columns: string): string {
  const at = `row * ${columns} + column`;
  if (kind === 0) return `fn ${name}At(row: i32, column: i32) -> f32 { return ${name}[${at}]; }`;
  const [word, shift] =
    kind === 8
      ? ["k / 4", "24 - 8 * (k % 4)"]
      : ["(k & 7) / 2", "28 - 16 * (k & 1) - 4 * (k >> 3u)"];
  return `
fn ${name}At(row: i32, column: i32) -> f32 {
  let block = (${at}) / 32 * ${wordsPerBlock(kind)};
  let k = column % 32;
  let q = (${name}[block + 1 + ${word}] << u32(${shift})) >> ${32 - kind}u;
  return bitcast<f32>(${name}[block]) * f32(q);
}`;
}

/**
 * `fn {name}Dot(row, start, lane) -> f32`: lane's share of the product of a weight's row with the vector
 * that starts at number `start` of the input `x`, which is read as vec4 where `isVector`.
 */
export function weightDot(
  name: string,
  kind: WeightKind,
  { columns, lanes, x, isVector }: { columns: string; lanes: number; x: string; isVector: boolean },
): string {
  const head = `fn ${name}Dot(row: i32, start: i32, lane: i32) -> f32 {\n  var sum = 0.0;`;
  if (kind === 0) {
    // Rows whose length is no multiple of 4 are read number by number.
    const [step, product] = isVector
      ? [4, (a: string, b: string) => `dot(${a}, ${b})`]
      : [1, times];
    return `${head}
  let width = ${columns} / ${step};
  for (var i = lane; i < width; i += ${lanes}) {
    sum += ${product(`${name}[row * width + i]`, `${x}[start / ${step} + i]`)};
  }
  return sum;
}`;
  }
  return `${head}
  let blocks = ${columns} / 32;
  for (var i = lane; i < blocks; i += ${lanes}) {
    let first = (row * blocks + i) * ${wordsPerBlock(kind)};
    let place = start / 4 + i * 8;
    var part = 0.0;
    ${kind === 8 ? bytes(name, x) : nibbles(name, x)}
    sum += bitcast<f32>(${name}[first]) * part;
  }
  return sum;
}`;
}

function times(a: string, b: string): string {
  return `${a} * ${b}`;
}

function bytes(name: string, x: string): string {
  return `
    for (var j = 0; j < 8; j++) {
      let w = ${name}[first + 1 + j];
      let q = vec4<i32>(w << 24u, w << 16u, w << 8u, w) >> vec4<u32>(24u);
      part += dot(vec4<f32>(q), ${x}[place + j]);
    }`;
}

/** Word j holds in its lower half the numbers 2j, 8 + 2j, …, in its upper those after them. */
function nibbles(name: string, x: string): string {
  return `
    for (var j = 0; j < 4; j++) {
      let w = ${name}[first + 1 + j];
      let lower = vec4<f32>(vec4<i32>(w << 28u, w << 24u, w << 20u, w << 16u) >> vec4<u32>(28u));
      let upper = vec4<f32>(vec4<i32>(w << 12u, w << 8u, w << 4u, w) >> vec4<u32>(28u));
      for (var n = 0; n < 4; n++) {
        let numbers = ${x}[place + 2 * n + j / 2];
        let pair = select(numbers.xy, numbers.zw, j % 2 == 1);
        part += lower[n] * pair.x + upper[n] * pair.y;
      }
    }`;
}
