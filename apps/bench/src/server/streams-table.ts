import { withSpread } from "../with-spread.ts";
import type { Percentiles, StreamsResult } from "./streams.ts";

/** All repetitions with one number of clients. */
export interface StreamsSetting {
  clients: number;
  results: StreamsResult[];
}

/** A markdown table: the best of each setting's repetitions. */
export function streamsTable(settings: readonly StreamsSetting[]): string {
  return [
    "| clients | tokens/s | against one | first token, ms: p50 | p99 | between tokens, ms: p50 | p99 | `/health`, ms: p50 | p99 | answers | lost | memory |",
    `|${" ---: |".repeat(12)}`,
    ...settings.map(({ clients, results }) => {
      const rates = (of: readonly StreamsResult[]): number[] =>
        of.map(({ tokensPerSecond }) => tokensPerSecond);
      const ratio = Math.max(...rates(results)) / Math.max(...rates(settings[0]!.results));
      const times = (["firstToken", "betweenTokens", "health"] as const).flatMap((time) =>
        (["p50", "p99"] as const).map((point) =>
          least(
            results.map((result) => result[time]),
            point,
          ),
        ),
      );
      const resident = Math.max(...results.map((result) => result.resident)) / 2 ** 20;
      const cells = [
        ...[clients, withSpread(rates(results)), `${ratio.toFixed(2)} ×`, ...times],
        total(results, ({ whole }) => whole),
        total(results, ({ lost }) => lost.length),
        Number.isNaN(resident) ? "–" : `${resident.toFixed(0)} MiB`,
      ];
      return `| ${cells.join(" | ")} |`;
    }),
  ].join("\n");
}

/** The least of several times, and how far the greatest was from it. */
export function least(times: readonly Percentiles[], point: keyof Percentiles): string {
  const values = times.map((time) => time[point]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const figures = Number(low.toPrecision(3)).toLocaleString("en");
  return `${figures} (to ${Number(high.toPrecision(3)).toLocaleString("en")})`;
}

export function total(
  results: readonly StreamsResult[],
  of: (result: StreamsResult) => number,
): string {
  return results.reduce((sum, result) => sum + of(result), 0).toLocaleString("en");
}
