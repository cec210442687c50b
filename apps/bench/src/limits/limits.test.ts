import { describe, expect, it } from "vitest";
import { limitsModule } from "./limits-module.ts";
import { limitsTable } from "./limits-table.ts";
import type { LimitsExports } from "./limits-thread.ts";
import { measureLimits } from "./measure-limits.ts";

describe("the module that limits are measured with", () => {
  it("reads every word and computes every multiply-add", async () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
    const words = new Int32Array(memory.buffer, 0, 256);
    words.forEach((_, i) => (words[i] = (i * 2_654_435_761) | 0));
    const { exports } = await WebAssembly.instantiate(await limitsModule(), { env: { memory } });
    const { read, multiplyAdd, FLOPS_PER_ROUND } = exports as unknown as LimitsExports;
    expect(read(0, 1024)).toBe(words.reduce((all, word) => all ^ word, 0));
    expect(read(0, 512)).toBe(words.slice(0, 128).reduce((all, word) => all ^ word, 0));
    // Twelve sums start at the term; each round adds factor · term.
    expect(multiplyAdd(8, 0.5, 0.25)).toBeCloseTo(12 * (0.25 + 8 * 0.5 * 0.25), 5);
    expect(FLOPS_PER_ROUND.value).toBe(12 * 4 * 2);
  });
});

describe("measureLimits", () => {
  it("gives each repetition of what threads reach together", async () => {
    const limits = await measureLimits(2, 2, { bytes: 2 ** 24, rounds: 2 ** 22 });
    expect(limits).toMatchObject({ threads: 2 });
    for (const rates of [limits.read, limits.multiplyAdd]) {
      expect(rates).toHaveLength(2);
      for (const rate of rates) expect(rate > 0 && rate < 10_000).toBe(true);
    }
    expect(limitsTable([limits]).split("\n")).toHaveLength(3);
  });
});
