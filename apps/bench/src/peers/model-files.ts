import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { convertToGguf } from "@levin/cli";
import type { GgufType } from "@levin/model/node";
import { runWorker } from "../run-worker.ts";
import { denseOfSameActiveSize, type DenseShape } from "./dense-shape.ts";
import { peersFolder, peersPython } from "./peer-packages.ts";
import { peerConfig, peerConfigJson, type PeerSize } from "./peer-sizes.ts";

const run = promisify(execFile);
const tooling = join(import.meta.dirname, "../../../../tooling/bench");

/** What llama.cpp calls weights. */
export const llamaTypes = { float32: "f32", int8: "q8_0", int4: "q4_0" } as const;

/** Directory of a hybrid with random weights and a tokenizer, in bfloat16 or quantised. */
export async function hybridDirectory(size: PeerSize, bits: 16 | 8 | 4): Promise<string> {
  return made(`${size}-hybrid-${bits}`, peerConfigJson(size), async (output) => {
    await runWorker("peers/checkpoint-worker.ts", [
      ...["--size", size, "--bits", String(bits), "--output", output],
    ]);
  });
}

/** The same model for llama.cpp. */
export async function hybridGguf(size: PeerSize, type: GgufType): Promise<string> {
  const source = await hybridDirectory(size, 16);
  return made(`${size}-hybrid-${type}.gguf`, peerConfigJson(size), async (output) => {
    await convertToGguf(source, output, type);
  });
}

/** A GGUF file of the dense model of a size. */
export async function ggufFile(size: PeerSize, type: "f32" | "q8_0" | "q4_0"): Promise<string> {
  const shape = denseOfSameActiveSize(peerConfig(size));
  return made(`${size}-${type}.gguf`, shape, (output) =>
    writeDense("make_gguf.py", shape, type, output),
  );
}

/** Directory of an ONNX graph of the dense model of a size, as transformers.js wants it. */
export async function onnxDirectory(
  size: PeerSize,
  type: "f32" | "int8" | "int4",
): Promise<string> {
  const shape = denseOfSameActiveSize(peerConfig(size));
  return made(`${size}-onnx-${type}`, shape, async (output) => {
    await mkdir(join(output, "onnx"), { recursive: true });
    await writeFile(join(output, "config.json"), JSON.stringify(llamaConfig(shape)));
    await writeDense("make_onnx.py", shape, type, join(output, "onnx/model.onnx"));
  });
}

/** What `make` once wrote for such a model: kept for later measurements, whole or not at all. */
async function made(
  name: string,
  shape: unknown,
  make: (output: string) => Promise<void>,
): Promise<string> {
  const version = createHash("sha256").update(JSON.stringify(shape)).digest("hex").slice(0, 8);
  const target = join(peersFolder, "models", version, name);
  if (existsSync(target)) return target;
  process.stderr.write(`writing ${name} (once)\n`);
  const unfinished = join(dirname(target), `unfinished-${name}`);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(dirname(target), { recursive: true });
  await make(unfinished);
  await rename(unfinished, target);
  return target;
}

async function writeDense(
  script: string,
  shape: DenseShape,
  type: string,
  output: string,
): Promise<void> {
  const flags = {
    ...{ hidden: shape.hidden, intermediate: shape.intermediate, layers: shape.layers },
    ...{ heads: shape.heads, "kv-heads": shape.kvHeads, "head-dim": shape.headDim },
    ...{ vocab: shape.vocab, context: shape.context, type, output },
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  await run(peersPython, [join(tooling, script), ...args]);
}

function llamaConfig(shape: DenseShape): object {
  return {
    model_type: "llama",
    hidden_size: shape.hidden,
    intermediate_size: shape.intermediate,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDim,
    vocab_size: shape.vocab,
    max_position_embeddings: shape.context,
    bos_token_id: 1,
    // Never ends by itself.
    eos_token_id: null,
  };
}
