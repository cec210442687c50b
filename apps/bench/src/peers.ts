import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { PeerSize } from "./peer-sizes.ts";
import { runWorker } from "./run-worker.ts";

/** Speeds of one engine with one model at one length of prompt: every repetition, in tokens/s. */
export interface PeerResult {
  engine: string;
  size: PeerSize;
  length: number;
  prefill: number[];
  decode: number[];
  /** Peak memory of the process. */
  peakMiB: number;
}

export interface PeerPlan {
  size: PeerSize;
  length: number;
  threads: number;
  repeats: number;
}

/** An engine that can be measured, or why it cannot. */
export interface PeerEngine {
  name: string;
  measure(plan: PeerPlan): Promise<PeerResult>;
}

const run = promisify(execFile);
const torchScript = join(import.meta.dirname, "../../../tooling/bench/bench_torch.py");

/** Levin on a backend, in a process of its own. */
export function levinEngine(name: string, backend: string): PeerEngine {
  return {
    name,
    measure: async (plan) => {
      const { size, length, threads, repeats } = plan;
      const args = ["--backend", backend, "--size", size];
      args.push("--length", String(length), "--repeats", String(repeats));
      const rates = await runWorker("peer-worker.ts", args, threads);
      return {
        engine: name,
        size,
        length,
        ...(rates as Pick<PeerResult, "prefill" | "decode" | "peakMiB">),
      };
    },
  };
}

interface TorchRow {
  prefill_tok_s_all: number[];
  decode_tok_s_all: number[];
  rss_peak_mb: number;
}

/**
 * The same architecture in PyTorch.
 *
 * @param implementation `library-grouped_mm` or `library-eager` (transformers), or `lean` (plain tensors)
 * @param python an interpreter that has torch and transformers
 */
export function torchEngine(name: string, implementation: string, python: string): PeerEngine {
  return {
    name,
    measure: async ({ size, length, threads, repeats }) => {
      const folder = await mkdtemp(join(tmpdir(), "levin-bench-"));
      try {
        const file = join(folder, "result.json");
        await run(python, [
          torchScript,
          ...["--impls", implementation, "--sizes", size, "--lengths", String(length)],
          ...["--variants", "hybrid", "--threads", String(threads)],
          ...["--repeats", String(repeats), "--json", file],
        ]);
        const [row] = JSON.parse(await readFile(file, "utf8")) as TorchRow[];
        if (!row) throw new Error(`${name}: expected a measurement, found none`);
        return {
          engine: name,
          size,
          length,
          prefill: row.prefill_tok_s_all,
          decode: row.decode_tok_s_all,
          peakMiB: row.rss_peak_mb,
        };
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  };
}

/** True when the interpreter has what the PyTorch engines need. */
export async function hasTorch(python: string): Promise<boolean> {
  return run(python, ["-c", "import torch, transformers"]).then(
    () => true,
    () => false,
  );
}
