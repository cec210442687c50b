import { best, withSpread } from "../with-spread.ts";
import type { PeerGroup } from "./peer-group.ts";
import type { PeerResult } from "./peer-engine.ts";

const columns = [
  ["model", "---:"],
  ["prompt", "---:"],
  ["engine", "---"],
  ["weights", "---"],
  ["prefill, tokens/s", "---:"],
  ["GFLOP/s", "---:"],
  ["Levin is", "---:"],
  ["decode, tokens/s", "---:"],
  ["GB/s", "---:"],
  ["Levin is", "---:"],
  ["state", "---:"],
  ["peak memory", "---:"],
] as const;

/** A markdown table of all engines at each size and length; ratios are to Levin with weights of the same kind. */
export function peerTable(groups: readonly PeerGroup[]): string {
  const rows = groups.flatMap((group) => group.results.map((result) => row(group, result)));
  return [columns.map(([name]) => name), columns.map(([, rule]) => rule), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function row({ size, length, results }: PeerGroup, result: PeerResult): string[] {
  const ours = results.find(
    ({ engine, weights }) => engine === "Levin" && weights === result.weights,
  );
  const ratio = (kind: "prefill" | "decode"): string =>
    ours ? `${(best(ours[kind]) / best(result[kind])).toFixed(2)} ×` : "–";
  return [
    size,
    length.toLocaleString("en"),
    result.engine,
    result.weights,
    withSpread(result.prefill),
    figure(gigaFlops(result)),
    ratio("prefill"),
    withSpread(result.decode),
    figure(gigaBytes(result)),
    ratio("decode"),
    result.stateBytes === undefined ? "–" : `${figure(result.stateBytes / 2 ** 20)} MiB`,
    `${result.peakMiB.toFixed(0)} MiB`,
  ];
}

/**
 * How near Levin comes to what WASM can do on the machine: the best that any group measured, since
 * other work can only take from it.
 */
export function limitLines(groups: readonly PeerGroup[]): string[] {
  const read = best(groups.flatMap(({ limits }) => limits.read));
  const compute = best(groups.flatMap(({ limits }) => limits.multiplyAdd));
  return groups.flatMap(({ size, length, results }) =>
    results
      .filter(({ engine }) => engine === "Levin")
      .map((result) => {
        const [bytes, flops] = [gigaBytes(result), gigaFlops(result)];
        return (
          `${size} at ${length.toLocaleString("en")}, ${result.weights}: ` +
          `decode reads ${figure(bytes)} GB/s = ${percent(bytes / read)} of ${figure(read)} measured; ` +
          `prefill computes ${figure(flops)} GFLOP/s = ${percent(flops / compute)} of the WASM FMA peak of ${figure(compute)}`
        );
      }),
  );
}

function gigaBytes({ decode, decodeBytes }: PeerResult): number {
  return (best(decode) * decodeBytes) / 1e9;
}

function gigaFlops({ prefill, prefillFlops }: PeerResult): number {
  return (best(prefill) * prefillFlops) / 1e9;
}

function figure(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}
