import { quantizedWords } from "@levin/kernels";
import { planModel, tensorShapes } from "@levin/model";
import { describe, expect, it } from "vitest";
import { activeWeightBytes, denseCost, hybridCost } from "./active-cost.ts";
import { denseOfSameActiveSize, layerParameters } from "./dense-shape.ts";
import { peerConfig, peerSizes } from "./peer-sizes.ts";

const config = peerConfig("25M");

describe("activeWeightBytes", () => {
  it.each(peerSizes)(
    "counts at %s what the planner calls active, head and a row besides",
    (size) => {
      const { vocabSize, hiddenSize, ...rest } = peerConfig(size);
      const full = { vocabSize, hiddenSize, ...rest };
      const { active } = planModel(full, []).parameters;
      const expected = 4 * (active + vocabSize * hiddenSize + hiddenSize);
      expect(activeWeightBytes(tensorShapes(full), full)).toBe(expected);
    },
  );

  it("counts quantised matrices by their words, and two experts of eight", () => {
    const words = quantizedWords(256, 8);
    const shapes = Array.from(
      { length: 8 },
      (_, e) => [`model.layers.0.block_sparse_moe.experts.${e}.w1.weight`, [384, words]] as const,
    );
    // A block of 32 weights of 8 bits is 36 bytes.
    expect(activeWeightBytes(shapes, config)).toBe(2 * 384 * (256 / 32) * 36);
  });

  it("reads all of an embedding that is the head too", () => {
    const shapes = [["model.embed_tokens.weight", [8192, 256]]] as const;
    expect(activeWeightBytes(shapes, { ...config, tieWordEmbeddings: true })).toBe(8192 * 256 * 4);
    expect(activeWeightBytes(shapes, config)).toBe(256 * 4);
  });
});

describe("hybridCost", () => {
  it("adds seven states of fixed size and one cache that grows", () => {
    const states = 7 * 4 * 64 * 64 * 4;
    const cachePerToken = 2 * 2 * 64 * 4;
    expect(hybridCost(config, 1000, 512).decodeBytes).toBe(1000 + states + 512 * cachePerToken);
  });

  it("computes two FLOPs for each active parameter of a short prompt, norms aside", () => {
    const { active, byPart } = planModel(config, []).parameters;
    const attention = 7 * 4 * 4 * 64 * 64 + 4 * 4 * 64 * 8;
    expect(hybridCost(config, 0, 16).prefillFlops).toBe(
      2 * (active - byPart["norms"]!) + attention,
    );
  });
});

describe("the dense model of a size", () => {
  it.each(peerSizes)("has within 2 % as many active parameters at %s", (size) => {
    const { active } = planModel(peerConfig(size), []).parameters;
    const dense = layerParameters(denseOfSameActiveSize(peerConfig(size)));
    expect(Math.abs(dense / active - 1)).toBeLessThan(0.02);
  });

  it("costs its matrices, its head and its cache", () => {
    const shape = {
      ...{ hidden: 64, intermediate: 96, layers: 2, heads: 2, kvHeads: 1 },
      ...{ headDim: 32, vocab: 100, context: 1000 },
    };
    const parameters = 2 * (64 * 64 + 2 * 64 * 32 + 64 * 64 + 3 * 64 * 96);
    const cost = denseCost(shape, { matrix: 1, head: 4, cache: 2 }, 10);
    expect(cost.decodeBytes).toBe(parameters + 4 * 6400 + 2 * 2 * 2 * 32 * 10);
    expect(cost.prefillFlops).toBe(2 * parameters + 2 * 4 * 64 * 5);
  });
});
