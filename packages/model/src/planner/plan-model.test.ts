import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { tensorShapes } from "../checkpoint/tensor-shapes.ts";
import { parseConfig } from "../config/parse-config.ts";
import { planModel } from "./plan-model.ts";

const fixture = (name: string): Buffer =>
  readFileSync(join(import.meta.dirname, "../__fixtures__", name));
const m1 = parseConfig(JSON.parse(fixture("m1-config.json").toString()));

describe("the published MiniMax-M1", () => {
  it("has exactly the tensors of its published index", () => {
    const index = JSON.parse(gunzipSync(fixture("m1-index.json.gz")).toString()) as {
      weight_map: Record<string, string>;
    };
    const names = [...tensorShapes(m1).keys()];
    expect(names).toHaveLength(8243);
    expect(names.toSorted()).toEqual(Object.keys(index.weight_map).toSorted());
  });

  it("has the parameters, weights and state that its publishers report", () => {
    const { parameters, weightBytes, state } = planModel(m1);
    expect(parameters.total).toBe(456_089_655_296);
    expect(parameters.active / 1e9).toBeCloseTo(45.9, 1);
    expect(weightBytes.bfloat16).toBe(912_210_767_872);
    expect(state.lightningBytes).toBe(280 * 2 ** 20);
    expect(state.cacheBytesPerToken).toBe(40 * 2 ** 10);
  });

  it("needs far fewer FLOPs than its softmax twin at long context, and as many at none", () => {
    const [none, long] = planModel(m1, [0, 1_000_000]).contexts;
    expect(none!.flopsPerToken / none!.softmaxTwinFlopsPerToken).toBeGreaterThan(0.9);
    expect(long!.flopsPerToken / long!.softmaxTwinFlopsPerToken).toBeLessThan(0.2);
  });
});
