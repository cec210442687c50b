import { availableParallelism, cpus } from "node:os";

/** The machine of a measurement, in words. */
export function describeMachine(): string {
  return `${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} cores`;
}
