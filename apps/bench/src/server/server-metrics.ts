import type { LoadClient } from "./load-client.ts";

/** What `/metrics` says, by name; labels stay part of it. */
export async function readMetrics(client: LoadClient): Promise<Map<string, number>> {
  const lines = (await client.text("GET", "/metrics")).split("\n");
  return new Map(
    lines
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const at = line.lastIndexOf(" ");
        return [line.slice(0, at), Number(line.slice(at))];
      }),
  );
}

/** Resident memory of the server's process in bytes; NaN where it has no such metric. */
export async function residentBytes(client: LoadClient): Promise<number> {
  const metrics = await readMetrics(client).catch(() => new Map<string, number>());
  return metrics.get("process_resident_memory_bytes") ?? NaN;
}
