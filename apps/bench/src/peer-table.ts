import type { PeerResult } from "./peers.ts";

/** A markdown table of all engines at each size and length; ratios are to the first engine. */
export function peerTable(results: readonly PeerResult[]): string {
  const rows = results.map((result) => {
    const ours = results.find(
      ({ size, length }) => size === result.size && length === result.length,
    )!;
    return [
      result.size,
      result.length.toLocaleString("en"),
      result.engine,
      ...(["prefill", "decode"] as const).flatMap((kind) => [
        withSpread(result[kind]),
        `${(best(ours[kind]) / best(result[kind])).toFixed(2)} ×`,
      ]),
      `${result.peakMiB.toFixed(0)} MiB`,
    ];
  });
  const header = [
    "model",
    "prompt",
    "engine",
    "prefill, tokens/s",
    "levin is",
    "decode, tokens/s",
    "levin is",
    "peak memory",
  ];
  return [header, header.map((_, i) => (i === 2 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

function best(rates: readonly number[]): number {
  return Math.max(...rates);
}

function withSpread(rates: readonly number[]): string {
  const spread = (best(rates) - Math.min(...rates)) / best(rates);
  return `${figures(best(rates))} (−${(100 * spread).toFixed(0)} %)`;
}

/** Three significant digits, without an exponent. */
function figures(rate: number): string {
  return Number(rate.toPrecision(3)).toLocaleString("en");
}
