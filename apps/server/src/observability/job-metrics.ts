import { Counter, Gauge, type Registry } from "prom-client";
import type { Jobs } from "../jobs/jobs.ts";
import { patientReader } from "./patient-reader.ts";

/** Metrics of long jobs, as Redis knows them: of all servers and workers that share it. */
export function jobMetrics(registry: Registry, jobs: Jobs): void {
  const read = patientReader(() => jobs.queues(), []);
  registry.registerMetric(
    new Gauge({
      name: "levin_jobs",
      help: "Jobs still to do, by queue and state: waiting, active, or delayed to be tried later.",
      labelNames: ["queue", "state"],
      registers: [],
      async collect() {
        for (const { kind: queue, ended: _, ...states } of await read()) {
          for (const [state, count] of Object.entries(states)) this.set({ queue, state }, count);
        }
      },
    }),
  );
  registry.registerMetric(
    new Counter({
      name: "levin_jobs_ended_total",
      help: "Jobs that ended, by queue and outcome: completed, failed, or skipped when stopped.",
      labelNames: ["queue", "outcome"],
      registers: [],
      async collect() {
        this.reset();
        for (const { kind: queue, ended } of await read()) {
          for (const [outcome, count] of Object.entries(ended)) this.inc({ queue, outcome }, count);
        }
      },
    }),
  );
}
