import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
// Brings the gradients of the stock operations; tfjs-core alone has none.
import "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { expertMixture, linear, routeTopExperts } from "../index.ts";
import { FusedKernelError, selectBackend } from "../node.ts";
import { expectSameOn, normal } from "../testing/both-backends.ts";
import { loadNativeAddon, type NativeAddon } from "./native-addon.ts";

const folder = join(import.meta.dirname, "../../native");
const isBuilt = existsSync(join(folder, `${process.platform}-${process.arch}.node`));

function addonOfThisMachine(): NativeAddon | undefined {
  try {
    return loadNativeAddon();
  } catch {
    return undefined;
  }
}
const addon = addonOfThisMachine();

it.skipIf(!isBuilt || !addon)("the addon was compiled from the sources that are there", () => {
  const script = join(folder, "build.mjs");
  const hash = execFileSync(process.execPath, [script, "--hash"], { encoding: "utf8" });
  expect(addon!.source).toBe(hash.trim());
});

it("the native backend is there, or wasm and a line that says why", async () => {
  const reasons: string[] = [];
  expect(await selectBackend("native", { otherwise: (r) => reasons.push(r) })).toBe("wasm");
  expect(reasons).toHaveLength(addon ? 0 : 1);
  for (const reason of reasons)
    expect(reason).toMatch(/^the native backend .*; going on with wasm$/);
});

function mixture(tokens: number, hidden: number, intermediate: number, count: number, k: number) {
  const experts = Array.from({ length: count }, (_, e) => ({
    gate: normal([intermediate, hidden], 10 + e),
    up: normal([intermediate, hidden], 30 + e),
    down: normal([hidden, intermediate], 50 + e),
  }));
  const routing = routeTopExperts(normal([tokens, count], 2) as tf.Tensor2D, k);
  return [expertMixture(normal([tokens, hidden], 1) as tf.Tensor2D, routing, experts)];
}

// Skipped on processors without AVX-512, and on platforms for which the addon is not built.
describe.skipIf(!addon)("native kernels give what references give on cpu", () => {
  it("for projections of any sizes", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 90 }),
        (rows, depth, columns) =>
          expectSameOn("native", () => {
            const [x, weight] = [normal([2, rows, depth], 1), normal([columns, depth], 2)];
            return [linear(x, weight), ...tf.grads(linear)([x, weight])];
          }),
      ),
      { numRuns: 60 },
    ));

  it("for rows longer than a packed panel", () =>
    expectSameOn("native", () => [linear(normal([37, 2100], 1), normal([50, 2100], 2))]));

  it("for mixtures of any sizes", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 3 }),
        (tokens, hidden, intermediate, count, k) =>
          expectSameOn("native", () =>
            mixture(tokens, hidden, intermediate, count, Math.min(k, count)),
          ),
      ),
      { numRuns: 60 },
    ));

  it("are used for many rows, and leave decoding to WASM", async () => {
    await selectBackend("native");
    const used = vi.spyOn(addon!, "linear");
    linear(normal([15, 8], 1), normal([8, 8], 2));
    expect(used).toHaveBeenCalledTimes(0);
    linear(normal([16, 8], 1), normal([8, 8], 2));
    expect(used).toHaveBeenCalledTimes(1);
  });

  it("refuse an expert that is none", async () => {
    await selectBackend("native");
    const expert = { gate: normal([4, 8], 1), up: normal([4, 8], 2), down: normal([8, 4], 3) };
    const routing = {
      experts: tf.fill([20, 1], 7, "int32") as tf.Tensor2D,
      weights: tf.ones([20, 1]) as tf.Tensor2D,
    };
    expect(() => expertMixture(normal([20, 8], 4) as tf.Tensor2D, routing, [expert])).toThrow(
      FusedKernelError,
    );
  });
});
