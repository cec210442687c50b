import type { PeerResult } from "./peers.ts";
import { best, withSpread } from "./with-spread.ts";

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
