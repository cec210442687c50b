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
    // 456,089,655,296 parameters, of which 2 · 200,064 · 6144 in embedding and head, 80 · 32 · 6144 in
    // gates, and norms: 2 a layer and the last of 6144, 70 of 8192 inside lightning attention.
    const head = 2 * 200_064 * 6144;
    const gates = 80 * 32 * 6144;
    const norms = 161 * 6144 + 70 * 8192;
    const matrices = parameters.total - head - gates - norms;
    expect(weightBytes.int8).toBe((matrices / 32) * 36 + 2 * (head + norms) + 4 * gates);
    expect(weightBytes.int4).toBe((matrices / 32) * 20 + 2 * (head + norms) + 4 * gates);
    expect(state.lightningBytes).toBe(280 * 2 ** 20);
    expect(state.cacheBytesPerToken).toBe(40 * 2 ** 10);
  });

  it("needs far fewer FLOPs than its softmax twin at long context, and as many at none", () => {
    const [none, long] = planModel(m1, [0, 1_000_000]).contexts;
    expect(none!.flopsPerToken / none!.softmaxTwinFlopsPerToken).toBeGreaterThan(0.9);
    expect(long!.flopsPerToken / long!.softmaxTwinFlopsPerToken).toBeLessThan(0.2);
  });
});
