import { tensorShapes } from "@levin/model";
import { runWorker } from "../run-worker.ts";
import { best } from "../with-spread.ts";
import {
  activeWeightBytes,
  denseCost,
  hybridCost,
  type ActiveCost,
  type DenseFormat,
} from "./active-cost.ts";
import { denseOfSameActiveSize } from "./dense-shape.ts";
import { ggufFile, hybridGguf, llamaTypes, onnxDirectory } from "./model-files.ts";
import type { PeerEngine, PeerPlan, PeerRates, PeerWeights } from "./peer-engine.ts";
import { hasPeer, type PeerPackage } from "./peer-packages.ts";
import { peerConfig, type PeerSize } from "./peer-sizes.ts";
import { rateFlags } from "./repeat.ts";

const float32 = 4;
const float16 = 2;
/** Blocks of 32 weights with a scale. */
const perWeight = (bits: number, scaleBytes: number): number => bits / 8 + scaleBytes / 32;

const llamaFormats: Record<PeerWeights, DenseFormat> = {
  float32: { matrix: float32, head: float32, cache: float16 },
  int8: { matrix: perWeight(8, float16), head: perWeight(8, float16), cache: float16 },
  int4: { matrix: perWeight(4, float16), head: perWeight(8, float16), cache: float16 },
};

const onnxTypes = { float32: "f32", int8: "int8", int4: "int4" } as const;

const onnxFormats: Record<PeerWeights, DenseFormat> = {
  float32: { matrix: float32, head: float32, cache: float32 },
  int8: { matrix: perWeight(8, float32), head: perWeight(8, float32), cache: float32 },
  int4: { matrix: perWeight(4, float32), head: perWeight(4, float32), cache: float32 },
};

/** A dense model of the same active size in llama.cpp. */
export function llamaEngine(name: string, weights: PeerWeights): PeerEngine {
  return installedEngine({
    ...{ name, weights, needs: "node-llama-cpp" },
    model: (size) => ggufFile(size, llamaTypes[weights]),
    rates: llamaRates,
    cost: denseCostOf(llamaFormats[weights]),
  });
}

/** The same model in llama.cpp. */
export function llamaHybridEngine(name: string, weights: "float32" | "int8"): PeerEngine {
  const { matrix, cache } = llamaFormats[weights];
  return installedEngine({
    ...{ name, weights, needs: "node-llama-cpp" },
    model: (size) => hybridGguf(size, llamaTypes[weights]),
    rates: llamaRates,
    cost: ({ size, length }) => {
      const config = peerConfig(size);
      const bytes = activeWeightBytes(tensorShapes(config), config);
      return hybridCost(config, (bytes * matrix) / float32, length, cache);
    },
  });
}

/** A dense model of the same active size in onnxruntime-node, by transformers.js. */
export function onnxEngine(name: string, weights: PeerWeights): PeerEngine {
  return installedEngine({
    ...{ name, weights, needs: "@huggingface/transformers" },
    model: (size) => onnxDirectory(size, onnxTypes[weights]),
    rates: (plan, model) => workerRates("peers/transformers-js-worker.ts", model, plan),
    cost: denseCostOf(onnxFormats[weights]),
  });
}

function installedEngine(options: {
  name: string;
  weights: PeerWeights;
  needs: PeerPackage;
  model: (size: PeerSize) => Promise<string>;
  rates: (plan: PeerPlan, model: string) => Promise<PeerRates>;
  cost: (plan: PeerPlan) => ActiveCost;
}): PeerEngine {
  const { name, weights, needs, model, rates, cost } = options;
  return {
    name,
    weights,
    longest: Infinity,
    missing: async () =>
      hasPeer(needs) ? undefined : `${needs} is not installed; run "npm run setup:peers"`,
    measure: async (plan) => ({ ...(await rates(plan, await model(plan.size))), ...cost(plan) }),
  };
}

function denseCostOf(format: DenseFormat): (plan: PeerPlan) => ActiveCost {
  return ({ size, length }) => denseCost(denseOfSameActiveSize(peerConfig(size)), format, length);
}

/** Its threads wait for each other in busy loops, which costs much when a core is taken away. */
async function llamaRates(plan: PeerPlan, model: string): Promise<PeerRates> {
  const counts = [...new Set([plan.threads, 1])];
  const all: PeerRates[] = [];
  for (const threads of counts) {
    all.push(await workerRates("peers/llama-worker.ts", model, { ...plan, threads }));
  }
  return betterOf(all);
}

async function workerRates(worker: string, model: string, plan: PeerPlan): Promise<PeerRates> {
  const args = ["--model", model, ...rateFlags(plan)];
  return (await runWorker(worker, args, plan.threads)) as PeerRates;
}

/** Prefill and decoding, each as measured with the number of threads that suits it best. */
function betterOf(all: readonly PeerRates[]): PeerRates {
  const better = (kind: "prefill" | "decode"): number[] =>
    all.map((rates) => rates[kind]).reduce((a, b) => (best(b) > best(a) ? b : a));
  return {
    ...all[0]!,
    prefill: better("prefill"),
    decode: better("decode"),
    peakMiB: Math.max(...all.map(({ peakMiB }) => peakMiB)),
  };
}
