import { measureLimits, type Limits, type LimitsWork } from "../limits/measure-limits.ts";
import { describeMachine } from "../machine.ts";
import type { PeerEngine, PeerPlan, PeerResult } from "./peer-engine.ts";
import type { PeerGroup } from "./peer-group.ts";

/** The machine's limits take little time, and a disturbed moment must not lower them. */
const limitRepeats = 5;

/**
 * All engines with one model at one length. They take turns, so that a drift of the machine meets all of
 * them; one that fails is left out, which `say` is told.
 *
 * @param work with which the machine's limits are measured
 */
export async function measureGroup(
  engines: readonly PeerEngine[],
  plan: PeerPlan,
  rounds: number,
  say: (line: string) => void,
  work?: LimitsWork,
): Promise<PeerGroup> {
  const { size, length, threads, repeats } = plan;
  const limits: Limits = { threads, read: [], multiplyAdd: [] };
  const results = new Map<PeerEngine, PeerResult>();
  const leftOut = new Set<PeerEngine>();
  for (let round = 1; round <= rounds; round++) {
    const { read, multiplyAdd } = await measureLimits(threads, limitRepeats, work);
    limits.read.push(...read);
    limits.multiplyAdd.push(...multiplyAdd);
    for (const engine of engines) {
      if (leftOut.has(engine)) continue;
      const { name, weights, longest } = engine;
      const what = `${size} at ${length}: ${name}, ${weights}`;
      try {
        if (length > longest) throw new Error(`measured to ${longest} tokens only`);
        say(`round ${round}, ${what}`);
        const measured = { engine: name, weights, ...(await engine.measure(plan)) };
        results.set(engine, withMoreRuns(results.get(engine), measured));
      } catch (error) {
        leftOut.add(engine);
        results.delete(engine);
        say(`left out: ${what} (${reason(error)})`);
      }
    }
  }
  const [date, machine] = [new Date().toISOString(), describeMachine()];
  return {
    ...{ size, length, date, machine, threads, repeats: rounds * repeats, limits },
    results: [...results.values()],
  };
}

function withMoreRuns(before: PeerResult | undefined, result: PeerResult): PeerResult {
  if (!before) return result;
  return {
    ...result,
    prefill: [...before.prefill, ...result.prefill],
    decode: [...before.decode, ...result.decode],
    peakMiB: Math.max(before.peakMiB, result.peakMiB),
  };
}

/** What a worker said last before it failed, else the error itself. */
function reason(error: unknown): string {
  const { stderr, message } = error as Error & { stderr?: string };
  const lines = (stderr || message).split("\n");
  return lines.find((line) => /error/i.test(line))?.trim() ?? lines[0]!;
}
