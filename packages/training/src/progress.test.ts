import { describe, expect, it } from "vitest";
import { createProgress } from "./progress.ts";

const report = { loadBalancing: 2, gradientNorm: 1, learningRate: 0.1 };

describe("createProgress", () => {
  it("gives the rate and the time left of a steady run", () => {
    const follow = createProgress(20);
    let progress;
    for (let step = 1; step <= 5; step++) {
      progress = follow({ ...report, step, crossEntropy: 3, tokens: 100, seconds: 0.5 });
    }
    expect(progress!.tokensPerSecond).toBeCloseTo(200, 9);
    expect(progress!.eta).toBeCloseTo(15 * 0.5, 9);
    expect(progress!.crossEntropy).toBeCloseTo(3, 9);
  });

  it("smooths the loss and leaves nothing to do at the end", () => {
    const follow = createProgress(2);
    follow({ ...report, step: 1, crossEntropy: 4, tokens: 10, seconds: 1 });
    const last = follow({ ...report, step: 2, crossEntropy: 2, tokens: 10, seconds: 1 });
    expect(last.crossEntropy).toBeGreaterThan(3.5);
    expect(last.crossEntropy).toBeLessThan(4);
    expect(last.eta).toBe(0);
  });
});
