import { realpath } from "node:fs/promises";
import { quantize, quantizedBlockSize, type QuantizedBits } from "@levin/kernels";
import type { ModelConfig } from "../config/model-config.ts";
import { CheckpointError } from "./byte-source.ts";
import { readConfig, weightFiles } from "./checkpoint-files.ts";
import type { WeightType } from "./element-types.ts";
import { openFiles } from "./file-source.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { quantizedShape } from "./quantized-tensors.ts";
import { saveCheckpoint } from "./save-checkpoint.ts";
import { tensorShapes } from "./tensor-shapes.ts";

/** Options of {@link quantizeCheckpoint}. */
export interface QuantizeOptions {
  bits: QuantizedBits;
  /** Called after each tensor. */
  onTensor?: (progress: { name: string; done: number; total: number }) => void;
}

/**
 * Writes a model's checkpoint with its large matrices quantised, one tensor at a time. All others keep
 * the float type that the embedding has; router gates are float32.
 *
 * @returns the config of the new checkpoint
 * @throws ConfigError, CheckpointError, also when the model is quantised already, when none of its
 *   matrices can be, or when both directories are the same
 */
export async function quantizeCheckpoint(
  source: string,
  target: string,
  { bits, onTensor }: QuantizeOptions,
): Promise<ModelConfig> {
  const plain = await readConfig(source);
  const config: ModelConfig = { ...plain, quantization: { bits, blockSize: quantizedBlockSize } };
  await check(source, target, plain, config);
  const shards = await openFiles(await weightFiles(source));
  try {
    const checkpoint = await openCheckpoint(plain, shards);
    const total = checkpoint.names.length;
    let done = 0;
    await saveCheckpoint(target, {
      config,
      type: floatType[checkpoint.typeOf("model.embed_tokens.weight")] ?? "float32",
      read: async (name) => {
        const { shape, values } = await checkpoint.read(name);
        onTensor?.({ name, done: ++done, total });
        return quantizedShape(name, shape, config.quantization)
          ? quantize(values as Float32Array, shape as [number, number], bits)
          : values;
      },
    });
  } finally {
    await Promise.all(shards.map((shard) => shard.close()));
  }
  return config;
}

const floatType: Partial<Record<string, WeightType>> = { BF16: "bfloat16", F16: "float16" };

async function check(
  source: string,
  target: string,
  plain: ModelConfig,
  config: ModelConfig,
): Promise<void> {
  if (plain.quantization) {
    throw new CheckpointError(
      `${source}: expected float weights to quantise, found ${plain.quantization.bits}-bit ones`,
    );
  }
  const [from, to] = await Promise.all(
    [source, target].map((path) => realpath(path).catch(() => undefined)),
  );
  if (from === to) {
    throw new CheckpointError(
      `${target}: expected another directory than the model's, found the same`,
    );
  }
  const shapes = [...tensorShapes(config)];
  if (!shapes.some(([name, shape]) => quantizedShape(name, shape, config.quantization))) {
    throw new CheckpointError(
      `${source}: expected a matrix with rows of a multiple of ${quantizedBlockSize} weights, ` +
        `found hidden_size ${plain.hiddenSize} and intermediate_size ${plain.intermediateSize}`,
    );
  }
}
