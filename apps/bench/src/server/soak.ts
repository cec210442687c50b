import { setTimeout as sleep } from "node:timers/promises";
import type { LoadClient } from "./load-client.ts";
import { MixedLoad, type MixedKind } from "./mixed-load.ts";
import { runClients, type Tally } from "./run-clients.ts";
import { readMetrics } from "./server-metrics.ts";

/** Memory of the server at one minute of a soak, in bytes. */
export interface MemorySample {
  minute: number;
  resident: number;
  /** Of JavaScript, in the thread that serves. */
  heap: number;
  /** Of all states of the model, those of the prefix cache included. */
  states: number;
}

export interface SoakResult extends Tally {
  done: Record<MixedKind, number>;
  memory: MemorySample[];
  /** Growth of the resident memory in the second half, in bytes an hour. */
  slope: number;
}

/** Mixed requests by so many clients for so many minutes; `say` hears of each. */
export async function soak(
  client: LoadClient,
  { clients, minutes }: { clients: number; minutes: number },
  say: (sample: MemorySample, whole: number) => void = () => {},
): Promise<SoakResult> {
  const started = Date.now();
  const load = new MixedLoad(client);
  let isOver = false;
  const running = runClients(
    clients,
    () => !isOver,
    () => load.turn(),
  );
  const memory: MemorySample[] = [];
  try {
    for (let minute = 0; minute <= minutes; minute++) {
      await sleep(Math.max(0, started + minute * 60_000 - Date.now()));
      const sample = await memoryAt(client, minute);
      memory.push(sample);
      say(sample, sum(Object.values(load.done)));
    }
    await sleep(Math.max(0, started + minutes * 60_000 - Date.now()));
  } finally {
    isOver = true;
  }
  const tally = await running;
  return { ...tally, done: load.done, memory, slope: growthInSecondHalf(memory) };
}

async function memoryAt(client: LoadClient, minute: number): Promise<MemorySample> {
  const metrics = await readMetrics(client);
  const read = (name: string): number => metrics.get(name) ?? NaN;
  return {
    minute,
    resident: read("process_resident_memory_bytes"),
    heap: read("nodejs_heap_size_used_bytes"),
    states: read("levin_state_bytes"),
  };
}

/** The slope of the line of least squares through the second half, in bytes an hour. */
export function growthInSecondHalf(memory: readonly MemorySample[]): number {
  const half = memory.slice(memory.length >> 1);
  const [x, y] = [half.map(({ minute }) => minute / 60), half.map(({ resident }) => resident)];
  const [meanX, meanY] = [sum(x) / x.length, sum(y) / y.length];
  const covariance = sum(x.map((hour, i) => (hour - meanX) * (y[i]! - meanY)));
  return covariance / sum(x.map((hour) => (hour - meanX) ** 2));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
