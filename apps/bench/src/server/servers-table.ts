import { best, withSpread } from "../with-spread.ts";
import { least, total, type StreamsSetting } from "./streams-table.ts";

/** What was measured of one server, by the number of clients. */
export interface ServerResults {
  name: string;
  /** Servers with the same are compared. */
  weights: string;
  settings: StreamsSetting[];
}

const columns =
  "clients | weights | server | tokens/s | Levin is | first token, ms: p50 | p99 | between tokens, ms: p50 | p99 | answers | lost | memory";

/** A markdown table of all servers at each number of clients: the best of the repetitions. */
export function serversTable(servers: readonly ServerResults[]): string {
  const counts = servers[0]?.settings ?? [];
  return [
    `| ${columns} |`,
    `| ---: | --- | --- |${" ---: |".repeat(9)}`,
    ...counts.flatMap((_, setting) => servers.map((server) => row(servers, server, setting))),
  ].join("\n");
}

function row(
  servers: readonly ServerResults[],
  { name, weights, settings }: ServerResults,
  setting: number,
): string {
  const rates = ({ settings: all }: Pick<ServerResults, "settings">): number[] =>
    all[setting]!.results.map(({ tokensPerSecond }) => tokensPerSecond);
  const { clients, results } = settings[setting]!;
  const own = rates({ settings });
  const levin = servers.find((other) => other.name === "Levin" && other.weights === weights);
  const ratio = levin ? `${(best(rates(levin)) / best(own)).toFixed(2)} ×` : "–";
  const resident = Math.max(...results.map((result) => result.resident)) / 2 ** 20;
  const times = (["firstToken", "betweenTokens"] as const).flatMap((time) =>
    (["p50", "p99"] as const).map((point) =>
      least(
        results.map((result) => result[time]),
        point,
      ),
    ),
  );
  const cells = [
    ...[clients, weights, name, withSpread(own), ratio],
    ...times,
    total(results, ({ whole }) => whole),
    total(results, ({ lost }) => lost.length),
    Number.isNaN(resident) ? "–" : `${resident.toFixed(0)} MiB`,
  ];
  return `| ${cells.join(" | ")} |`;
}
