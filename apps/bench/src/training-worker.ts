import { parseArgs } from "node:util";
import { selectBackend } from "@levin/kernels/node";
import { CausalLanguageModel, parseConfig } from "@levin/model";
import { createAdamWState, initialiseParameters, train, trainableModel } from "@levin/training";

/*
 * Training speed of spark's architecture in a process of its own: forward, backward and update of
 * one batch a step. Prints a line of JSON.
 */

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "wasm" },
    batch: { type: "string", default: "16" },
    length: { type: "string", default: "256" },
    steps: { type: "string", default: "5" },
  },
});
const [batch, length, steps] = [values.batch, values.length, values.steps].map(Number) as [
  number,
  number,
  number,
];

await selectBackend(values.backend);
const config = parseConfig({
  model_type: "minimax",
  vocab_size: 506,
  hidden_size: 128,
  intermediate_size: 128,
  num_hidden_layers: 8,
  num_attention_heads: 8,
  num_key_value_heads: 2,
  head_dim: 16,
  num_local_experts: 8,
  num_experts_per_tok: 2,
  block_size: 256,
  layer_types: Array.from({ length: 8 }, (_, i) => (i < 7 ? "linear_attention" : "full_attention")),
  full_attn_alpha_factor: 2,
  linear_attn_alpha_factor: 2,
  mlp_alpha_factor: 2,
  router_aux_loss_coef: 0.01,
});
const parameters = initialiseParameters(config, 1);
const model = new CausalLanguageModel(config, parameters);
const examples = Array.from({ length: batch }, (_, row) => ({
  ids: Array.from({ length }, (_unused, t) => (31 * row + 7 * t) % config.vocabSize),
  learned: Array<number>(length).fill(1),
}));
const rates: number[] = [];
await train(trainableModel(model), createAdamWState(parameters), {
  schedule: { peak: 1e-3, warmupSteps: 1, totalSteps: steps + 1 },
  examples: () => examples,
  onStep: ({ step, tokens, seconds }) => {
    if (step > 1) rates.push(tokens / seconds);
  },
});
console.log(JSON.stringify({ rates, peakMiB: process.resourceUsage().maxRSS / 1024 }));
