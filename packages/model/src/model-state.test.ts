import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModelStateError, type CausalLanguageModel, type CausalModelState } from "./index.ts";
import { loadModel } from "./node.ts";

const directory = join(import.meta.dirname, "__fixtures__/parity/i_m1_layout");

describe.each(["cpu", "wasm"])("CausalModelState.regroup on %s", (backend) => {
  let model: CausalLanguageModel;
  beforeAll(async () => {
    await selectBackend(backend);
    model = await loadModel(directory);
  });
  afterAll(() => model.dispose());

  const feed = (state: CausalModelState, ids: number[][]): number[][] =>
    tf.tidy(() => model.advance(state, { ids }).arraySync());

  const expectClose = (found: number[][], expected: number[][]): void =>
    found.forEach((row, i) =>
      row.forEach((value, j) => expect(value).toBeCloseTo(expected[i]![j]!, 4)),
    );

  it("lets sequences of any length go on together and part, and frees all memory", () => {
    const before = tf.memory().numTensors;
    const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10]];
    const alone = prompts.map((prompt) => {
      const state = model.createState(1);
      feed(state, [prompt]);
      return state;
    });
    const joined = alone[0]!.regroup([0], alone.slice(1));
    expect(joined.positions).toEqual([3, 1, 6]);
    const step = (): number[][] => alone.map((state) => feed(state, [[11]])[0]!);
    expectClose(feed(joined, [[11], [11], [11]]), step());
    const two = joined.regroup([1, 0]);
    expect([two.positions, two.length]).toEqual([[2, 4], 4]);
    const restored = model.deserializeState(two.serialize());
    const next = step();
    for (const state of [two, restored]) {
      expectClose(feed(state, [[11], [11]]), [next[1]!, next[0]!]);
    }
    for (const state of [...alone, joined, two, restored]) state.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("names rows that are not there, and refuses none and broken states", () => {
    const state = model.createState(2);
    expect(() => state.regroup([2])).toThrow(/rows: expected numbers in 0\.\.1, found 2/);
    expect(() => state.regroup([])).toThrow(ModelStateError);
    state.broken = true;
    expect(() => state.regroup([0])).toThrow(ModelStateError);
    state.dispose();
  });
});
