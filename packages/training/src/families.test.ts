import { selectBackend } from "@levin/kernels/node";
import { CausalLanguageModel, parseConfig } from "@levin/model";
import { beforeAll, describe, expect, it } from "vitest";
import { countingExamples } from "./__fixtures__/counting-examples.ts";
import { createAdamWState } from "./adamw.ts";
import { initialiseParameters } from "./initialise.ts";
import { trainableModel } from "./trainable-model.ts";
import { train } from "./trainer.ts";

beforeAll(() => selectBackend("wasm"));

const ring = {
  model_type: "bailing_moe_linear",
  ...{ vocab_size: 24, eos_token_id: 23, hidden_size: 16, head_dim: 8, intermediate_size: 24 },
  ...{ num_hidden_layers: 3, layer_group_size: 3, num_attention_heads: 2, num_key_value_heads: 1 },
  ...{ num_experts: 4, num_experts_per_tok: 2, n_group: 2, topk_group: 1, group_norm_size: 2 },
  ...{ moe_intermediate_size: 16, rope_theta: 10_000, max_position_embeddings: 64 },
};

const transnormer = {
  model_type: "transnormer",
  ...{ vocab_size: 24, eos_token_id: 23, decoder_embed_dim: 16, hidden_dim: 16, glu_dim: 24 },
  ...{ decoder_layers: 2, decoder_attention_heads: 2, linear_use_lrpe_list: [1, 0] },
  tie_word_embeddings: false,
};

describe.each([
  ["Ring-linear", ring],
  ["TransNormerLLM", transnormer],
])("a model of %s", (_name, file) => {
  it("learns to count from a random start", async () => {
    const config = parseConfig(file);
    const parameters = initialiseParameters(config, 1);
    const model = trainableModel(new CausalLanguageModel(config, parameters));
    const losses: number[] = [];
    await train(model, createAdamWState(model.parameters), {
      schedule: { peak: 0.02, warmupSteps: 5, totalSteps: 30 },
      examples: countingExamples,
      onStep: ({ crossEntropy }) => void losses.push(crossEntropy),
    });
    expect(losses[0]).toBeGreaterThan(2.5);
    expect(losses.at(-1)).toBeLessThan(1.2);
    // Its router chooses by a bias that no gradient reaches.
    const bias = parameters.get("model.layers.1.block_sparse_moe.gate.expert_bias");
    if (bias) expect([...bias.dataSync()]).toEqual([0, 0, 0, 0]);
  });
});

it("gives LRPE the angles of the published models", () => {
  const theta = initialiseParameters(parseConfig(transnormer), 1).get(
    "model.layers.0.self_attn.lrpe.theta",
  )!;
  expect(theta.shape).toEqual([2, 1, 8]);
  theta.dataSync().forEach((angle, i) => expect(angle).toBeCloseTo(10_000 ** (-i / 8), 6));
});
