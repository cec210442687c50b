import { withSpread } from "../with-spread.ts";
import type { Limits } from "./measure-limits.ts";

/** A markdown table of what the machine gives to so many threads. */
export function limitsTable(limits: readonly Limits[]): string {
  return [
    "| threads | memory read, GB/s | multiply-adds of 128 bits, GFLOP/s |",
    "| ---: | ---: | ---: |",
    ...limits.map(
      ({ threads, read, multiplyAdd }) =>
        `| ${threads} | ${withSpread(read)} | ${withSpread(multiplyAdd)} |`,
    ),
  ].join("\n");
}
