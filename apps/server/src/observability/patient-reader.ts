import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds that a value is waited for. */
const patience = 500;

/**
 * Reads a value for metrics, which should not fail or wait: while reading takes long, gives what
 * was last read; when it fails, `nothing`.
 */
export function patientReader<Value>(
  read: () => Promise<Value>,
  nothing: Value,
): () => Promise<Value> {
  let latest = nothing;
  return async () => {
    const fresh = read().catch(() => nothing);
    void fresh.then((value) => (latest = value));
    await Promise.race([fresh, sleep(patience, undefined, { ref: false })]);
    return latest;
  };
}
