import type { Metric } from "prom-client";

/**
 * A histogram of small whole numbers that somebody else counts: it is read when metrics are asked
 * for, however much was counted since.
 *
 * @param read how often each number from 1 on came up
 */
export function countedHistogram(
  { name, help, buckets }: { name: string; help: string; buckets: readonly number[] },
  read: () => Promise<readonly number[]>,
): Metric {
  const get = async () => {
    const counts = await read();
    const upTo = (bound: number): number =>
      counts.slice(0, bound).reduce((total, count) => total + count, 0);
    const sum = counts.reduce((all, count, i) => all + count * (i + 1), 0);
    const bucket = (le: number | string, value: number) => ({
      metricName: `${name}_bucket`,
      labels: { le },
      value,
    });
    return {
      name,
      help,
      type: "histogram",
      aggregator: "sum",
      values: [
        ...buckets.map((bound) => bucket(bound, upTo(bound))),
        bucket("+Inf", upTo(Infinity)),
        { metricName: `${name}_sum`, labels: {}, value: sum },
        { metricName: `${name}_count`, labels: {}, value: upTo(Infinity) },
      ],
    };
  };
  // A registry needs no more of a metric; `Histogram` itself can only observe one number at a time.
  return { name, get } as unknown as Metric;
}
