import { describe, expect, it } from "vitest";
import { decaySlopes, type Dialect } from "./decay-slopes.ts";

const slopes = (numHeads: number, dialect: Dialect, layerIndex = 0, numLayers = 80) =>
  decaySlopes({ numHeads, layerIndex, numLayers, dialect });

describe("decaySlopes", () => {
  it("follows the geometric series for powers of two", () => {
    const expected = [1 / 4, 1 / 16, 1 / 64, 1 / 256].map((s) => s * 1.00001);
    slopes(4, "m1").forEach((s, head) => expect(s).toBeCloseTo(expected[head]!, 12));
  });

  it("interpolates other head counts in the m1 dialect", () => {
    const expected = [1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 2, 1 / 8].map((s) => s * 1.00001);
    slopes(6, "m1").forEach((s, head) => expect(s).toBeCloseTo(expected[head]!, 12));
    expect(slopes(6, "hf")[0]).toBeCloseTo(2 ** (-8 / 6) * 1.00001, 12);
  });

  it("scales by the layer as each dialect does", () => {
    const factors = [0, 1, 2, 3].map((i) => slopes(1, "hf", i, 4)[0]! / 2 ** -8);
    [1.00001, 0.66667778, 0.33334556, 1.3333e-5].forEach((f, i) =>
      expect(factors[i]).toBeCloseTo(f, 7),
    );
    expect(slopes(64, "m1", 78)[0]! / 2 ** (-8 / 64)).toBeCloseTo(0.01266823, 8);
    expect(slopes(1, "m1", 0, 1)[0]! / 2 ** -8).toBeCloseTo(1.00001, 12);
    // Ring-mini-linear-2.0 has 20 layers.
    expect(slopes(1, "ring", 0, 20)[0]! / 2 ** -8).toBeCloseTo(1 + 1 / 19 + 1e-5, 12);
    expect(slopes(1, "ring", 19, 20)[0]! / 2 ** -8).toBeCloseTo(1 / 19 + 1e-5, 12);
  });
});
