import { describe, expect, it } from "vitest";
import { growthInSecondHalf, type MemorySample } from "./soak.ts";
import { soakTable } from "./soak-table.ts";
import { percentiles, type StreamsResult } from "./streams.ts";
import { streamsTable } from "./streams-table.ts";

const MiB = 2 ** 20;

describe("percentiles", () => {
  it("are values that were measured, by their rank", () => {
    const values = Array.from({ length: 200 }, (_, i) => 200 - i);
    expect(percentiles(values)).toEqual({ p50: 100, p99: 198 });
    expect(percentiles([7])).toEqual({ p50: 7, p99: 7 });
    expect(percentiles([])).toEqual({ p50: NaN, p99: NaN });
  });
});

const sample = (minute: number, resident: number): MemorySample => ({
  ...{ minute, resident: resident * MiB, heap: MiB, states: 2 * MiB },
});

describe("growth", () => {
  it("is that of the second half alone, in bytes an hour", () => {
    const memory = Array.from({ length: 61 }, (_, minute) =>
      sample(minute, minute < 30 ? 10 * minute : 400 + minute),
    );
    expect(growthInSecondHalf(memory) / MiB).toBeCloseTo(60, 6);
  });

  it("is shown under the memory by the minute", () => {
    const memory = Array.from({ length: 21 }, (_, minute) => sample(minute, 300));
    const done = { short: 5, long: 0, cancelled: 1, session: 0, schema: 0, embeddings: 0 };
    const table = soakTable({ memory, slope: 3 * MiB, whole: 6, lost: [], done });
    expect(table).toContain("| 20 | 300 MiB | 1 MiB | 2 MiB |");
    expect(table).toContain("6 turns (5 short, 0 long, 1 cancelled");
    expect(table).toContain("0 lost; in the second half the memory grew by 3.0 MiB an hour.");
  });
});

it("streams are shown by the best of their repetitions, with the worst beside it", () => {
  const result = (tokensPerSecond: number, time: number): StreamsResult => ({
    ...{ whole: 10, lost: time > 1 ? ["why"] : [], tokensPerSecond, resident: 300 * MiB },
    firstToken: { p50: time, p99: 2 * time },
    betweenTokens: { p50: time / 10, p99: time / 5 },
    health: { p50: time, p99: time },
  });
  const table = streamsTable([
    { clients: 1, results: [result(100, 1), result(80, 2)] },
    { clients: 8, results: [result(300, 3)] },
  ]);
  const [one, eight] = table.split("\n").slice(2);
  expect(one).toBe(
    "| 1 | 100 (−20 %) | 1.00 × | 1 (to 2) | 2 (to 4) | 0.1 (to 0.2) | 0.2 (to 0.4) | 1 (to 2) | 1 (to 2) | 20 | 1 | 300 MiB |",
  );
  expect(eight).toContain("| 8 | 300 (−0 %) | 3.00 × |");
});
