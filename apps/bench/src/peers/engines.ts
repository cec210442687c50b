import { llamaEngine, llamaHybridEngine, onnxEngine } from "./installed-engines.ts";
import { levinEngine } from "./levin-engine.ts";
import type { PeerEngine } from "./peer-engine.ts";
import { torchEngine } from "./torch-engine.ts";

/** All engines by the name that `--engines` takes, in the order in which they are measured. */
export function peerEngines(python: string): Record<string, PeerEngine> {
  return {
    levin: levinEngine("Levin"),
    "levin-int8": levinEngine("Levin", { bits: 8 }),
    "levin-int4": levinEngine("Levin", { bits: 4 }),
    "levin-webgpu": levinEngine("Levin, WebGPU", { backend: "webgpu" }),
    "levin-webgpu-int8": levinEngine("Levin, WebGPU", { backend: "webgpu", bits: 8 }),
    "stock-wasm": levinEngine("stock tfjs-wasm", { backend: "stock-wasm" }),
    "stock-cpu": levinEngine("stock tfjs-cpu", { backend: "cpu" }),
    transformers: torchEngine("transformers", "library-grouped_mm", python),
    pytorch: torchEngine("PyTorch, hand-written", "lean", python),
    "llama-hybrid-f32": llamaHybridEngine("llama.cpp", "float32"),
    "llama-hybrid-q8_0": llamaHybridEngine("llama.cpp", "int8"),
    "llama-f32": llamaEngine("llama.cpp, dense", "float32"),
    "llama-q8_0": llamaEngine("llama.cpp, dense", "int8"),
    "llama-q4_0": llamaEngine("llama.cpp, dense", "int4"),
    "onnx-f32": onnxEngine("transformers.js, dense", "float32"),
    "onnx-int8": onnxEngine("transformers.js, dense", "int8"),
    "onnx-int4": onnxEngine("transformers.js, dense", "int4"),
  };
}

export const engineNames = Object.keys(peerEngines(""));

/**
 * Only measured when named: plain JavaScript takes minutes for what others do in seconds, and not every
 * machine has a GPU.
 */
const onlyNamed = ["stock-cpu", "levin-webgpu", "levin-webgpu-int8"];
export const defaultEngines = engineNames.filter((name) => !onlyNamed.includes(name));

/**
 * The engines that can be measured here, of those named.
 *
 * @param leftOut is told one line of each that cannot
 */
export async function availableEngines(
  engines: Readonly<Record<string, PeerEngine>>,
  names: readonly string[],
  leftOut: (line: string) => void,
): Promise<PeerEngine[]> {
  const available: PeerEngine[] = [];
  for (const name of names) {
    const engine = engines[name]!;
    const missing = await engine.missing();
    if (missing) leftOut(`left out: ${name} (${missing})`);
    else available.push(engine);
  }
  return available;
}
