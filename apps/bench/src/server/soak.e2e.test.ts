import { afterAll, beforeAll, expect, it } from "vitest";
import { LoadClient } from "./load-client.ts";
import { MixedLoad } from "./mixed-load.ts";
import { runClients } from "./run-clients.ts";
import { readMetrics } from "./server-metrics.ts";
import { startServer, type ServerProcess } from "./server-process.ts";

/** Starting a process takes its time on a busy machine. */
const patience = 240_000;

let server: ServerProcess;
let client: LoadClient;
beforeAll(async () => {
  server = await startServer([]);
  client = await LoadClient.connect(server.url);
}, patience);
afterAll(() => server?.stop());

it(
  "loses nothing of many mixed requests, and is idle afterwards",
  { timeout: patience },
  async () => {
    const load = new MixedLoad(client, { maxTokens: 12 });
    let left = 60;
    const { whole, lost } = await runClients(
      8,
      () => left-- > 0,
      () => load.turn(),
    );
    expect(lost).toEqual([]);
    expect(whole).toBe(60);
    expect(Object.entries(load.done).filter(([, done]) => done === 0)).toEqual([]);

    const idle = { levin_queue_requests: 0, levin_queue_tokens: 0, levin_requests_running: 0 };
    await expect
      .poll(async () => Object.fromEntries(await readMetrics(client)), { timeout: patience })
      .toMatchObject(idle);
    const metrics = await readMetrics(client);
    const ended = (reason: string) =>
      metrics.get(`levin_generation_duration_seconds_count{finish_reason="${reason}"}`) ?? 0;
    expect(ended("error")).toBe(0);
    // Nobody reads on what was broken off, and no state is left but those kept for later prompts.
    expect(ended("client")).toBeGreaterThan(0);
    expect(metrics.get("levin_state_bytes")).toBeLessThanOrEqual(
      metrics.get("levin_prefix_cache_bytes")!,
    );
    expect(await client.json("GET", "/v1/sessions")).toMatchObject({ data: [] });
  },
);
