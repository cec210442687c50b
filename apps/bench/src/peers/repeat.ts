import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";

/** Tokens that each measurement generates after the prompt. */
export const decodeTokens = 48;

/** What a worker is told: each engine is measured in a process of its own, so that its memory is its own. */
export function workerFlags(): {
  model: string;
  length: number;
  repeats: number;
  threads: number;
  backend: string;
} {
  const flag = { type: "string" } as const;
  const { values } = parseArgs({
    options: { model: flag, length: flag, repeats: flag, threads: flag, backend: flag },
  });
  const { model = "", length = "512", repeats = "3", threads = "2", backend = "wasm" } = values;
  return {
    model,
    length: Number(length),
    repeats: Number(repeats),
    threads: Number(threads),
    backend,
  };
}

/** The flags of a worker that say how to measure. */
export function rateFlags(plan: { length: number; repeats: number; threads: number }): string[] {
  return (["length", "repeats", "threads"] as const).flatMap((name) => [
    `--${name}`,
    String(plan[name]),
  ]);
}

/**
 * Measures conversations after one warm-up and prints their speeds as a line of JSON.
 *
 * @param converse reads the prompt, calls `prefilled` when the next token is known, and generates
 *   `decodeTokens` more
 * @param more what else the line says, asked at the end
 */
export async function printRates(
  { length, repeats }: { length: number; repeats: number },
  converse: (prefilled: () => void) => Promise<void>,
  more: () => object = () => ({}),
): Promise<void> {
  const [prefill, decode]: [number[], number[]] = [[], []];
  for (let run = 0; run <= repeats; run++) {
    // Threads and finalizers get their turn between runs, not in them.
    await setImmediate();
    const started = performance.now();
    let prefilled = NaN;
    await converse(() => (prefilled = performance.now()));
    const decoded = performance.now();
    if (run === 0) continue;
    prefill.push((1000 * length) / (prefilled - started));
    decode.push((1000 * decodeTokens) / (decoded - prefilled));
  }
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ prefill, decode, peakMiB, ...more() }));
}

/** A prompt of so many tokens, none of them special. */
export function prompt(length: number, vocabSize: number): number[] {
  return Array.from({ length }, (_, i) => 300 + ((7 * i) % (vocabSize - 300)));
}
