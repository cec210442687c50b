import { runWorker } from "../run-worker.ts";
import { hybridCost } from "./active-cost.ts";
import { hybridDirectory } from "./model-files.ts";
import type { PeerEngine, PeerRates } from "./peer-engine.ts";
import { peerConfig } from "./peer-sizes.ts";
import { rateFlags } from "./repeat.ts";

/** Prompts longer than this take stock tfjs many minutes. */
const longestOfStock = 2048;

const fusedBackends = ["wasm", "webgpu"];

/** Levin's model on a backend. */
export function levinEngine(
  name: string,
  { backend = "wasm", bits = 32 }: { backend?: string; bits?: 32 | 8 | 4 } = {},
): PeerEngine {
  return {
    name,
    weights: bits === 32 ? "float32" : `int${bits}`,
    longest: fusedBackends.includes(backend) ? Infinity : longestOfStock,
    missing: async () => undefined,
    measure: async (plan) => {
      const { size, length, threads } = plan;
      const model = bits === 32 ? size : await hybridDirectory(size, bits);
      const args = ["--model", model, "--backend", backend, ...rateFlags(plan)];
      const { weightBytes, ...rates } = (await runWorker(
        "peers/levin-worker.ts",
        args,
        threads,
      )) as PeerRates & { weightBytes: number };
      return { ...rates, ...hybridCost(peerConfig(size), weightBytes, length) };
    },
  };
}
