import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Upstream } from "../upstream/upstream.ts";

/** Registers what is counted of upstreams; each is known by its number, in the order they were given. */
export function upstreamMetrics(registry: Registry, upstreams: readonly Upstream[]): void {
  const registers = [registry];
  const requests = new Counter({
    name: "levin_upstream_requests_total",
    help: "Requests to upstreams, retries too, by what came of them: answered, busy (429 or 503), failed, broken_off (a stream), left (by the client).",
    labelNames: ["upstream", "outcome"],
    registers,
  });
  const seconds = new Histogram({
    name: "levin_upstream_reply_seconds",
    help: "Seconds until an upstream's reply began; one that is no stream begins when it is complete.",
    labelNames: ["upstream"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
    registers,
  });
  for (const [i, upstream] of upstreams.entries()) {
    const number = `${i + 1}`;
    upstream.observe({
      replied: (duration) => seconds.observe({ upstream: number }, duration),
      ended: (outcome) => requests.inc({ upstream: number, outcome }),
    });
  }
  const gauge = (name: string, help: string, read: (upstream: Upstream) => number): void => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        labelNames: ["upstream"],
        registers: [],
        collect() {
          for (const [i, upstream] of upstreams.entries()) {
            this.set({ upstream: `${i + 1}` }, read(upstream));
          }
        },
      }),
    );
  };
  gauge("levin_upstream_available", "1 while an upstream may be asked.", ({ isAvailable }) =>
    Number(isAvailable),
  );
  gauge(
    "levin_upstream_circuit_open",
    "1 while an upstream is left alone after failures in a row.",
    ({ isCircuitOpen }) => Number(isCircuitOpen),
  );
  gauge(
    "levin_upstream_outstanding_requests",
    "Requests without a complete reply.",
    ({ outstanding }) => outstanding,
  );
}
