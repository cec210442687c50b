import { quantizedShape } from "../checkpoint/quantized-tensors.ts";
import { tensorShapes } from "../checkpoint/tensor-shapes.ts";
import type { ModelConfig } from "../config/model-config.ts";
import type { LayerRange } from "../decoder.ts";

/** Raised for a number of stages that a model can't have. */
export class StagePlanError extends Error {
  override readonly name = "StagePlanError";
}

/** Consecutive layers that share one memory. */
export interface StagePlan extends LayerRange {
  /** Bytes of their weights in memory, with embedding or head where they belong to these layers. */
  weightBytes: number;
}

/** Of the 4 GiB of a wasm memory; the rest is for states, caches and what a pass needs. */
const mostWeightBytes = 3 * 2 ** 30;

/**
 * Divides the layers of a model into stages whose weights are as even as they can be. Weights take
 * four bytes each, or those of their quantised blocks.
 *
 * @param count how many; default: as few as leave each at most 3 GiB of weights, where layers are
 *   small enough for that
 * @throws StagePlanError unless there is a layer for each
 */
export function planStages(config: ModelConfig, count?: number): StagePlan[] {
  const bytes = layerBytes(config);
  const most = bytes.length;
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= most)) {
    throw new StagePlanError(
      `stages: expected a whole number from 1 to ${most} (one for each layer), found ${count}`,
    );
  }
  return divide(bytes, count ?? fill(bytes, mostWeightBytes, 1).length);
}

/** The names of the tensors that a stage holds. */
export function stageTensors(config: ModelConfig, { from, to }: LayerRange): Set<string> {
  const names = [...tensorShapes(config).keys()];
  return new Set(
    names.filter((name) => layersOf(name, config).some((layer) => layer >= from && layer < to)),
  );
}

/** The layers at which a tensor is needed; the embedding is at the first, norm and head at the last. */
function layersOf(name: string, config: ModelConfig): number[] {
  const last = config.numHiddenLayers - 1;
  const layer = /^model\.layers\.(\d+)\./.exec(name);
  if (layer) return [Number(layer[1])];
  if (name !== "model.embed_tokens.weight") return [last];
  return config.tieWordEmbeddings ? [0, last] : [0];
}

function layerBytes(config: ModelConfig): number[] {
  const bytes = Array<number>(config.numHiddenLayers).fill(0);
  for (const [name, shape] of tensorShapes(config)) {
    const stored = quantizedShape(name, shape, config.quantization) ?? shape;
    const size = stored.reduce((product, n) => product * n, Float32Array.BYTES_PER_ELEMENT);
    for (const layer of new Set(layersOf(name, config))) bytes[layer]! += size;
  }
  return bytes;
}

/** The division into `count` runs of layers whose largest is smallest. */
function divide(bytes: readonly number[], count: number): StagePlan[] {
  const runs = bytes.flatMap((_, from) => {
    let sum = 0;
    return bytes.slice(from).map((size) => (sum += size));
  });
  const most = runs
    .toSorted((a, b) => a - b)
    .find((bound) => fill(bytes, bound, count).length === count)!;
  return fill(bytes, most, count);
}

/** At least `count` stages, each with as many of the next layers as `most` bytes hold. */
function fill(bytes: readonly number[], most: number, count: number): StagePlan[] {
  const stages: StagePlan[] = [];
  bytes.forEach((size, layer) => {
    const last = stages.at(-1);
    const isNeeded = bytes.length - layer <= count - stages.length;
    if (!last || isNeeded || last.weightBytes + size > most) {
      stages.push({ from: layer, to: layer + 1, weightBytes: size });
    } else {
      last.to += 1;
      last.weightBytes += size;
    }
  });
  return stages;
}
