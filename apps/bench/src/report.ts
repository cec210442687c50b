import type { TopLevelSpec } from "vega-lite";
import type { Measurement } from "./measure.ts";
import { renderSvg } from "./render-svg.ts";

/** A markdown table: hybrid and twin side by side with their ratios. */
export function markdownTable(measurements: readonly Measurement[]): string {
  const contexts = [...new Set(measurements.map((m) => m.context))];
  const rows = contexts.map((context) => {
    const [hybrid, softmax] = ["hybrid", "softmax"].map((name) =>
      measurements.find((m) => m.model === name && m.context === context)!,
    ) as [Measurement, Measurement];
    const rates = (["prefill", "decode"] as const).flatMap((kind) => [
      rate(hybrid[kind]),
      rate(softmax[kind]),
      `${(hybrid[kind].best / softmax[kind].best).toFixed(2)} ×`,
    ]);
    const share = (100 * hybrid.stateBytes) / softmax.stateBytes;
    return [
      context.toLocaleString("en"),
      ...rates,
      bytes(hybrid.stateBytes),
      bytes(softmax.stateBytes),
      `${share.toFixed(0)} %`,
    ];
  });
  const header = [
    "context",
    "prefill hybrid (tokens/s)",
    "prefill softmax",
    "ratio",
    "decode hybrid (tokens/s)",
    "decode softmax",
    "ratio",
    "state hybrid",
    "state softmax",
    "share",
  ];
  return [header, header.map(() => "---:"), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

/** Context lengths, interpolated, from which on the hybrid is the faster or smaller one. */
export function crossings(measurements: readonly Measurement[]): string[] {
  const ratioOf: Record<string, (hybrid: Measurement, softmax: Measurement) => number> = {
    prefill: (hybrid, softmax) => hybrid.prefill.best / softmax.prefill.best,
    decode: (hybrid, softmax) => hybrid.decode.best / softmax.decode.best,
    state: (hybrid, softmax) => softmax.stateBytes / hybrid.stateBytes,
  };
  const hybrids = measurements.filter((m) => m.model === "hybrid");
  return Object.entries(ratioOf).map(([what, ratio]) => {
    const points = hybrids.map((hybrid) => ({
      context: hybrid.context,
      ratio: ratio(
        hybrid,
        measurements.find((m) => m.model === "softmax" && m.context === hybrid.context)!,
      ),
    }));
    const first = points.findIndex((point) => point.ratio >= 1);
    if (first < 0) return `${what}: not within the measured range`;
    const [below, above] = [points[first - 1], points[first]!];
    if (!below) return `${what}: below ${above.context.toLocaleString("en")} tokens`;
    const part = Math.log(1 / below.ratio) / Math.log(above.ratio / below.ratio);
    const context = below.context * (above.context / below.context) ** part;
    return `${what}: at about ${Math.round(context).toLocaleString("en")} tokens`;
  });
}

/** The same figures as an SVG plot. */
export async function plot(measurements: readonly Measurement[]): Promise<string> {
  const values = measurements.flatMap(({ model, context, prefill, decode, stateBytes }) => [
    { model, context, kind: "prefill, tokens/s", value: prefill.best },
    { model, context, kind: "decode, tokens/s", value: decode.best },
    { model, context, kind: "state, MiB", value: stateBytes / 2 ** 20 },
  ]);
  const spec: TopLevelSpec = {
    background: "white",
    data: { values },
    facet: {
      field: "kind",
      title: null,
      sort: ["prefill, tokens/s", "decode, tokens/s", "state, MiB"],
    },
    spec: {
      width: 220,
      height: 180,
      mark: { type: "line", point: true },
      encoding: {
        x: {
          field: "context",
          type: "quantitative",
          scale: { type: "log", base: 2 },
          title: "context (tokens)",
        },
        y: { field: "value", type: "quantitative", scale: { type: "log" }, title: null },
        color: { field: "model", type: "nominal", title: null },
      },
    },
    resolve: { scale: { y: "independent" } },
  };
  return renderSvg(spec);
}

function rate({ best, spread }: Measurement["decode"]): string {
  return `${best.toFixed(best < 100 ? 1 : 0)} (−${(100 * spread).toFixed(0)} %)`;
}

/** Bytes in KiB or MiB. */
export function bytes(count: number): string {
  return count < 2 ** 20
    ? `${(count / 2 ** 10).toFixed(0)} KiB`
    : `${(count / 2 ** 20).toFixed(1)} MiB`;
}
