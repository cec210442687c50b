import "@tensorflow/tfjs-backend-cpu";
import { parseConfig, tensorShapes } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { tinyModel } from "./__fixtures__/tiny-model.ts";
import { initialiseParameters } from "./initialise.ts";

beforeAll(() => tf.setBackend("cpu"));

const config = parseConfig({
  model_type: "minimax_m1",
  vocab_size: 64,
  hidden_size: 128,
  num_hidden_layers: 2,
  attn_type_list: [0, 1],
  num_attention_heads: 2,
  num_key_value_heads: 2,
  head_dim: 64,
  num_local_experts: 2,
  num_experts_per_tok: 1,
  intermediate_size: 96,
  postnorm: true,
});

function deviation(parameters: Map<string, tf.Variable>, name: string): number {
  const values = parameters.get(name)!.dataSync() as Float32Array;
  return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
}

describe("initialiseParameters", () => {
  it("makes every tensor of the checkpoint in its shape", () => {
    const parameters = initialiseParameters(config, 1);
    const shapes = [...parameters].map(([name, { shape }]) => [name, shape]);
    expect(shapes).toEqual([...tensorShapes(config)]);
  });

  it("gives matrices a deviation of fan-in^(−1/2), residual branches (8 · layers)^(−1/4) of it", () => {
    const parameters = initialiseParameters(config, 1);
    const layer = "model.layers.0";
    expect(deviation(parameters, `${layer}.self_attn.qkv_proj.weight`)).toBeCloseTo(128 ** -0.5, 2);
    expect(deviation(parameters, `${layer}.self_attn.out_proj.weight`)).toBeCloseTo(
      128 ** -0.5 / 2,
      2,
    );
    expect(deviation(parameters, `${layer}.block_sparse_moe.experts.0.w2.weight`)).toBeCloseTo(
      96 ** -0.5 / 2,
      2,
    );
    expect(deviation(parameters, `${layer}.input_layernorm.weight`)).toBe(1);
  });

  it("is the same for the same seed and differs for another", () => {
    const values = (seed: number): number[] => [
      ...tinyModel(seed).parameters.get("model.embed_tokens.weight")!.dataSync(),
    ];
    expect(values(5)).toEqual(values(5));
    expect(values(5)).not.toEqual(values(6));
  });
});
