import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { tensorShapes } from "@levin/model";
import { activeWeightBytes, hybridCost } from "./active-cost.ts";
import type { PeerEngine } from "./peer-engine.ts";
import { peerConfig } from "./peer-sizes.ts";

const run = promisify(execFile);
const script = join(import.meta.dirname, "../../../../tooling/bench/bench_torch.py");

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
    weights: "float32",
    longest: Infinity,
    missing: async () =>
      (await hasTorch(python))
        ? undefined
        : `${python} has no torch and transformers; name one that has by --python`,
    measure: async ({ size, length, threads, repeats }) => {
      const folder = await mkdtemp(join(tmpdir(), "levin-bench-"));
      try {
        const file = join(folder, "result.json");
        const { stdout } = await run(python, [
          script,
          ...["--impls", implementation, "--sizes", size, "--lengths", String(length)],
          ...["--variants", "hybrid", "--threads", String(threads)],
          ...["--repeats", String(repeats), "--json", file],
        ]);
        const [row] = JSON.parse(await readFile(file, "utf8")) as TorchRow[];
        if (!row) throw new Error(stdout.trim().split("\n").at(-1));
        const config = peerConfig(size);
        const weightBytes = activeWeightBytes(tensorShapes(config), config);
        return {
          prefill: row.prefill_tok_s_all,
          decode: row.decode_tok_s_all,
          peakMiB: row.rss_peak_mb,
          ...hybridCost(config, weightBytes, length),
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
