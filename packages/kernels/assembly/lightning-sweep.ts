// One pass over the tokens of one head, block by block (SPEC 6.4). With a, b = 0 .. m−1 the real
// tokens of a block in the order of the pass, o = 1 forward and 0 backward:
//   out_a = Σ_{b ≤ a} λ^(a−b) (q_a · k_b) v_b  +  λ^(a+o) q_a S
//   S    <- λ^m S  +  Σ_b λ^(m−b−o) k_bᵀ v_b
// Forward this is the attention itself. Backward it is the recurrence of the gradients: λ stands at
// the end of a token there, so the outgoing gradient reaches the last token without decay.

import { outputTile, stateTile } from "./lightning-tiles";
import { packRows, rowAddress, scatterRow } from "./panels";
import { scoreTile } from "./score-tile";

/**
 * The table of powers holds per head 8 zeros for distances to later tokens, λ^0 .. λ^block, and 7
 * numbers more, as four are loaded at once. This is the address of λ^0.
 */
export function powersOf(table: usize, block: i32, head: i32): usize {
  return table + ((<usize>(head * (block + 16) + 8)) << 2);
}

/** Room for a {@link Sweep}, one cache line. */
export const SWEEP_BYTES: usize = 64;

/** What a sweep reads and writes; addresses are those of one head. */
@unmanaged
export class Sweep {
  length: i32;
  headDim: i32;
  /** Real tokens per block, a multiple of 8. */
  block: i32;
  /** From the last token to the first. */
  backward: bool;
  queries: usize;
  keys: usize;
  values: usize;
  output: usize;
  /** 1 or 0 per token; 0: all are real. */
  mask: usize;
  /** Address of λ^0 in the table of powers. */
  powers: usize;
  /** State before the sweep `[D, D]`, or 0 for a zero state. */
  state: usize;
  /** Where to put the state after it, or 0. */
  next: usize;
  /** The states in memory have the axis of the values first. */
  transposed: bool;
  /** Columns of output and state to compute, in panels of 8. */
  firstPanel: i32;
  lastPanel: i32;
}

/** Bytes that a thread needs: the description of a sweep and its scratch. */
export function sweepBytes(block: i32, headDim: i32): usize {
  const wide = (headDim + 7) & ~7;
  const floats = wide + 4 * 8 + block + 4 * block * wide + block * block + wide * wide;
  return (SWEEP_BYTES + ((<usize>floats) << 2) + 63) & ~63;
}

/** Runs a sweep in `scratch`, which stands behind its description. */
export function sweep(s: Sweep, scratch: usize): void {
  const headDim = s.headDim;
  const block = s.block;
  const wide = (headDim + 7) & ~7;
  const rowBytes = (<usize>headDim) << 2;
  const offset = s.backward ? 0 : 1;
  const zeros = scratch;
  const edge = zeros + ((<usize>wide) << 2);
  const offsets = edge + 4 * 32;
  const queryPanels = offsets + ((<usize>block) << 2);
  const keyPanels = queryPanels + ((<usize>(block * wide)) << 2);
  const weightedKeys = keyPanels + ((<usize>(block * wide)) << 2);
  const valuePanels = weightedKeys + ((<usize>(block * wide)) << 2);
  const scores = valuePanels + ((<usize>(block * wide)) << 2);
  const state = scores + ((<usize>(block * block)) << 2);
  const keyStride = (<usize>block) << 4;
  const valueStride = (<usize>block) << 5;
  const stateStride = (<usize>wide) << 5;
  const columns = min(headDim, 8 * s.lastPanel) - 8 * s.firstPanel;
  const firstColumn = (<usize>s.firstPanel) << 5;
  memory.fill(zeros, 0, (<usize>wide) << 2);

  let known = s.state != 0;
  if (known) loadState(s, state, stateStride);
  let token = s.backward ? s.length - 1 : 0;
  const direction = s.backward ? -1 : 1;
  let left = s.length;
  while (left > 0) {
    let rows = 0;
    while (rows < block && left > 0) {
      const place = <usize>token * rowBytes;
      if (s.mask && load<f32>(s.mask + ((<usize>token) << 2)) == 0) {
        memory.fill(s.output + place + firstColumn, 0, (<usize>columns) << 2);
      } else {
        store<i32>(offsets + ((<usize>rows) << 2), <i32>place);
        rows++;
      }
      token += direction;
      left--;
    }
    if (rows == 0) break;
    packRows(s.queries, offsets, rows, 4, headDim, zeros, queryPanels);
    packRows(s.keys, offsets, rows, 8, headDim, zeros, keyPanels);
    for (let b = 0; b < rows; b++) {
      const place = <usize>load<i32>(offsets + ((<usize>b) << 2));
      const weight = load<f32>(s.powers + ((<usize>(rows - b - offset)) << 2));
      const key = weightedKeys + ((<usize>b) << 4);
      scatterRow(s.keys + place, headDim, 4, weight, key, keyStride);
      const value = valuePanels + ((<usize>b) << 5);
      scatterRow(s.values + place + firstColumn, columns, 8, 1, value, valueStride);
    }
    for (let a = 0; a < rows; a += 4) {
      const query = queryPanels + ((<usize>(a * headDim)) << 2);
      const row = scores + ((<usize>(a * block)) << 2);
      for (let b = 0; b < min(a + 4, rows); b += 8) {
        const key = keyPanels + ((<usize>(b * headDim)) << 2);
        scoreTile(headDim, query, key, s.powers + ((a - b) << 2), row + ((<usize>b) << 4));
      }
    }
    const goesOn = left > 0 || s.next != 0;
    const across = load<f32>(s.powers + ((<usize>rows) << 2));
    for (let column = 0; column < columns; column += 8) {
      const panel = <usize>(column >> 3);
      const values = valuePanels + panel * valueStride;
      const statePanel = state + panel * stateStride;
      const output = s.output + firstColumn + (panel << 5);
      const whole = column + 8 <= columns;
      for (let a = 0; a < rows; a += 4) {
        outputTile(
          known ? headDim : 0,
          queryPanels + ((<usize>(a * headDim)) << 2),
          statePanel,
          s.powers + ((<usize>(a + offset)) << 2),
          min(a + 4, rows),
          scores + ((<usize>(a * block)) << 2),
          values,
          whole ? rowAddress(output, offsets, a, rows, edge) : edge,
          whole ? rowAddress(output, offsets, a + 1, rows, edge) : edge + 32,
          whole ? rowAddress(output, offsets, a + 2, rows, edge) : edge + 64,
          whole ? rowAddress(output, offsets, a + 3, rows, edge) : edge + 96,
        );
        if (whole) continue;
        for (let i = 0; i < min(4, rows - a); i++) {
          const row = rowAddress(output, offsets, a + i, rows, edge);
          memory.copy(row, edge + ((<usize>i) << 5), (<usize>(columns - column)) << 2);
        }
      }
      if (!goesOn) continue;
      for (let k = 0; k < headDim; k += 4) {
        const key = weightedKeys + <usize>(k >> 2) * keyStride;
        stateTile(rows, key, values, statePanel + ((<usize>k) << 5), across, known);
      }
    }
    known = true;
  }
  if (s.next) storeState(s, state, stateStride, known);
}

// @ts-ignore: decorator
@inline
function stateAddress(base: usize, s: Sweep, row: i32, column: i32): usize {
  const index = s.transposed ? column * s.headDim + row : row * s.headDim + column;
  return base + ((<usize>index) << 2);
}

/** Brings the columns of the sweep into panels of 8; rows and columns beyond the end are zero. */
function loadState(s: Sweep, panels: usize, stride: usize): void {
  const headDim = s.headDim;
  for (let panel = s.firstPanel; panel < s.lastPanel; panel++) {
    const rows = (headDim + 3) & ~3;
    for (let row = 0; row < rows; row++) {
      const to = panels + ((<usize>row) << 5);
      const column = panel << 3;
      if (!s.transposed && row < headDim && column + 8 <= headDim) {
        const from = stateAddress(s.state, s, row, column);
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        continue;
      }
      for (let i = 0; i < 8; i++) {
        const inside = row < headDim && column + i < headDim;
        const value = inside ? load<f32>(stateAddress(s.state, s, row, column + i)) : 0;
        store<f32>(to + ((<usize>i) << 2), value);
      }
    }
    panels += stride;
  }
}

function storeState(s: Sweep, panels: usize, stride: usize, known: bool): void {
  const headDim = s.headDim;
  for (let panel = s.firstPanel; panel < s.lastPanel; panel++) {
    for (let row = 0; row < headDim; row++) {
      const from = panels + ((<usize>row) << 5);
      const column = panel << 3;
      for (let i = 0; i < min(8, headDim - column); i++) {
        const value = known ? load<f32>(from + ((<usize>i) << 2)) : 0;
        store<f32>(stateAddress(s.next, s, row, column + i), value);
      }
    }
    panels += stride;
  }
}
