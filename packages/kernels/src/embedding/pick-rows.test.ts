import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { selectBackend, type BackendName } from "../node.ts";
import { normal } from "../testing/both-backends.ts";
import { pickRows } from "./pick-rows.ts";

describe.each<BackendName>(["cpu", "wasm"])("pickRows on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it.each([
    [
      [5, 2, 3, 4],
      [3, 0, 3],
    ],
    [
      [5, 2, 3, 4],
      [0, 1, 2, 3, 4],
    ],
    [[4, 7], [2]],
    [[1, 2, 3], [0]],
  ])("of %j takes rows %j in their order, and leaves nothing behind", (shape, rows) => {
    const x = normal(shape, 1);
    const before = tf.memory().numTensors;
    const picked = pickRows(x, rows);
    expect(tf.memory().numTensors).toBe(before + 1);
    const expected = tf.gather(x, tf.tensor1d(rows, "int32"));
    expect(picked.shape).toEqual(expected.shape);
    expect(picked.arraySync()).toEqual(expected.arraySync());
  });
});
