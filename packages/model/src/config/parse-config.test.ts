import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "./model-config.ts";
import { parseConfig } from "./parse-config.ts";
import { toConfigJson } from "./to-config-json.ts";

const fixtures = join(import.meta.dirname, "../__fixtures__");
const read = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(fixtures, path), "utf8")) as Record<string, unknown>;
const hf = read("parity/a_mix_lllf/config.json");
const m1 = read("parity/i_m1_layout/config.json");
const ring = read("parity/ring_lflff/config.json");
const transnormer = read("parity/transnormer_lrpe_first/config.json");

describe("parseConfig", () => {
  it.each([
    ...["parity/a_mix_lllf/config.json", "parity/i_m1_layout/config.json", "m1-config.json"],
    ...["parity/ring_lflff/config.json", "parity/ring_llf_leftpad/config.json"],
    ...["transnormer_lrpe_first", "transnormer_6heads_leftpad"].map(
      (name) => `parity/${name}/config.json`,
    ),
  ])("reads %s, and what toConfigJson writes of it", (path) => {
    const config = parseConfig(read(path));
    expect(parseConfig(toConfigJson(config))).toEqual(config);
  });

  it("fills in the defaults of each dialect", () => {
    const { rotary_dim: _r, postnorm: _p, ...bare } = m1;
    expect(parseConfig(bare)).toMatchObject({ rotaryDim: 16, postnorm: false });
    const { rope_parameters: _rope, layer_types: _types, ...plain } = hf;
    const config = parseConfig({ ...plain, head_dim: null, num_key_value_heads: null });
    expect(config).toMatchObject({ headDim: 12, numKeyValueHeads: 4, ropeTheta: 1e6 });
    expect(config.layerTypes).toEqual(["softmax", "lightning", "softmax", "lightning"]);
    expect(parseConfig({ ...hf, rotary_dim: 4 }).rotaryDim).toBe(16);
  });

  it("takes the defaults of the specification for keys that are absent or null", () => {
    const shape = {
      vocab_size: 64,
      hidden_size: 64,
      num_hidden_layers: 2,
      num_attention_heads: 16,
    };
    const one = { alpha: 1, beta: 1 };
    const shared = {
      numKeyValueHeads: 8,
      headDim: 4,
      rotaryDim: 4,
      ropeTheta: 1e6,
      numLocalExperts: 8,
      numExpertsPerTok: 2,
      intermediateSize: 14336,
      rmsNormEps: 1e-5,
      routerAuxLossCoef: 0.001,
      alphaBeta: { lightning: one, softmax: one, moe: one },
      tieWordEmbeddings: false,
      eosTokenId: [],
      padTokenId: null,
    };
    for (const [file, rest, full] of [
      [{ ...shape, model_type: "minimax" }, { postnorm: true, blockSize: 256 }, hf],
      [{ ...shape, model_type: "minimax_m1", attn_type_list: [0, 1] }, { postnorm: false }, m1],
    ] as const) {
      expect(parseConfig(file)).toMatchObject({ ...shared, ...rest });
      const optional = Object.keys(full).filter((key) => !(key in file));
      const nulls = Object.fromEntries(optional.map((key) => [key, null]));
      expect(parseConfig({ ...file, ...nulls, num_key_value_heads: 8 })).toEqual(parseConfig(file));
      expect(parseConfig({ ...file, ...nulls }).numKeyValueHeads).toBe(16);
    }
  });

  it("reads the rotary base from either key in both dialects", () => {
    for (const file of [hf, m1]) {
      const { rope_theta: _a, rope_parameters: _b, ...plain } = file;
      expect(parseConfig({ ...plain, rope_theta: 500 }).ropeTheta).toBe(500);
      const rope = { rope_theta: 700, rope_type: "default", partial_rotary_factor: 0.5 };
      expect(parseConfig({ ...plain, rope_parameters: rope }).ropeTheta).toBe(700);
    }
  });

  it("reads real files with keys that change nothing", () => {
    const inert = {
      architectures: ["MiniMaxForCausalLM"],
      attention_bias: false,
      attention_dropout: 0,
      auto_map: { AutoConfig: "configuration_minimax.MiniMaxConfig" },
      dtype: "bfloat16",
      torch_dtype: "bfloat16",
      initializer_range: 0.02,
      max_model_len: 10240000,
      output_router_logits: false,
      router_jitter_noise: 0,
      postnorm: true,
      quantization_config: null,
      rope_scaling: null,
      rotary_dim: 8,
      shared_intermediate_size: 0,
      shared_moe_mode: "sigmoid",
      sliding_window: null,
      transformers_version: "4.53.0",
      use_cache: true,
      _attn_implementation_autoset: true,
      "transformers.js_config": {},
    };
    expect(parseConfig({ ...hf, ...inert })).toEqual(parseConfig(hf));
    expect(parseConfig({ ...m1, ...inert })).toEqual(parseConfig(m1));
    const text01 = { ...m1, model_type: "minimax_text_01", shared_intermediate_size: [0] };
    expect(parseConfig(text01).dialect).toBe("m1");
    expect(parseConfig({ ...text01, model_type: "MiniMaxText01" }).dialect).toBe("m1");
  });

  it.each([
    [{ hidden_size: "48" }, /hidden_size: .*found "48"/],
    [{ hidden_size: -1 }, /hidden_size/],
    [{ vocab_size: undefined }, /vocab_size/],
    [{ hiden_size: 48 }, /unknown key "hiden_size" \(did you mean "hidden_size"\?\)/],
    [{ sliding_window: 128 }, /sliding_window.*found 128/],
    [{ hidden_act: "gelu" }, /hidden_act/],
    [{ rope_parameters: { rope_type: "yarn" } }, /rope_parameters.rope_type/],
    [{ rope_parameters: { type: "linear", factor: 2 } }, /rope_parameters.type/],
    [{ rope_scaling: { factor: 2 } }, /rope_scaling/],
    [{ postnorm: false }, /postnorm.*found false/],
    [{ attention_bias: true }, /attention_bias.*found true/],
    [{ quantization_config: { bits: 4 } }, /quantization_config: expected null: weights quant/],
    [{ quantization: { bits: 3, block_size: 32 } }, /quantization\.bits.*found 3/],
    [{ quantization: { bits: 8, block_size: 64 } }, /quantization\.block_size.*found 64/],
    [{ quantization: { bits: 8, block_size: 32, zero_point: 1 } }, /quantization: .*zero_point/],
    [{ num_hidden_layers: null }, /num_hidden_layers.*found null/],
    [{ num_hidden_layers: 1e9, layer_types: null }, /num_hidden_layers.*found 1000000000/],
    [{ num_local_experts: 1e4, num_hidden_layers: 1e4 }, /at most 100000 experts/],
    [
      { head_dim: null, hidden_size: 50 },
      /hidden_size divisible by num_attention_heads 4, found 50/,
    ],
    [{ head_dim: 15 }, /expected an even head_dim, found 15/],
    [{ num_key_value_heads: 3 }, /num_key_value_heads that divides .* 4, found 3/],
    [{ num_experts_per_tok: 5 }, /num_experts_per_tok of at most 4, found 5/],
    [{ layer_types: ["full_attention"] }, /expected 4 layer types, found 1/],
    [{ model_type: "llama" }, /expected model_type "minimax".*found "llama"/],
    [{ eos_token_id: 96 }, /below vocab_size 96/],
  ])("refuses %j and says why", (change, message) => {
    expect(() => parseConfig({ ...hf, ...change })).toThrow(ConfigError);
    expect(() => parseConfig({ ...hf, ...change })).toThrow(message);
  });

  it.each([
    [{ n_group: 3 }, /n_group that divides 8 experts into groups of two or more, found 3/],
    [{ topk_group: 5 }, /topk_group of at most 4, found 5/],
    [{ num_experts_per_tok: 5 }, /num_experts_per_tok of at most 4, .*found 5/],
    [{ group_norm_size: 5 }, /group_norm_size that divides 4 heads of 8, found 5/],
    [{ head_dim: 6 }, /partial_rotary_factor to rotate an even number of head_dim 6, found 3/],
    [{ score_function: "softmax" }, /score_function: expected "sigmoid".*found "softmax"/],
    [{ use_qkv_bias: true }, /use_qkv_bias: expected false: biases/],
    [{ num_nextn_predict_layers: 1 }, /num_nextn_predict_layers: expected 0.*found 1/],
    [{ kv_lora_rank: 512 }, /kv_lora_rank: expected null: multi-head latent attention/],
    [{ rope_scaling: { factor: 4, type: "yarn" } }, /rope_scaling: expected null/],
    [{ n_groups: 4 }, /unknown key "n_groups" \(did you mean "n_group"\?\)/],
  ])("refuses Ring-linear with %j and says why", (change, message) => {
    expect(() => parseConfig({ ...ring, ...change })).toThrow(ConfigError);
    expect(() => parseConfig({ ...ring, ...change })).toThrow(message);
  });

  it.each([
    [{ linear_use_lrpe_list: [1, 0] }, /linear_use_lrpe_list of 3 layers, found 2/],
    [{ hidden_dim: 64 }, /hidden_dim of decoder_embed_dim 32 where layers have LRPE, found 64/],
    [{ hidden_dim: 50 }, /hidden_dim divisible by decoder_attention_heads \d+, found 50/],
    [{ norm_type: "layernorm" }, /norm_type: expected "simplermsnorm".*found "layernorm"/],
    [{ linear_act_fun: "1+elu" }, /linear_act_fun: expected "silu"/],
    [{ bias: true }, /bias: expected false: biases are not supported, found true/],
    [{ decoder_layer: 3 }, /unknown key "decoder_layer" \(did you mean "decoder_layers"\?\)/],
  ])("refuses TransNormerLLM with %j and says why", (change, message) => {
    expect(() => parseConfig({ ...transnormer, ...change })).toThrow(ConfigError);
    expect(() => parseConfig({ ...transnormer, ...change })).toThrow(message);
  });

  it("takes the defaults of TransNormerLLM's class", () => {
    expect(parseConfig({ model_type: "transnormer" })).toMatchObject({
      ...{ vocabSize: 64000, hiddenSize: 1024, numHiddenLayers: 24, headDim: 128 },
      ...{ tieWordEmbeddings: true, embeddingScale: 32 },
      dense: { layers: 24, intermediateSize: 2816, activation: "none" },
    });
  });

  it.each([
    [{ shared_intermediate_size: 64 }, /shared_intermediate_size/],
    [{ shared_intermediate_size: [0, 0, 1, 0, 0] }, /shared_intermediate_size/],
    [{ rotary_dim: 7 }, /even rotary_dim of at most head_dim 16, found 7/],
    [{ rotary_dim: 18 }, /even rotary_dim/],
    [{ attn_type_list: undefined }, /attn_type_list/],
    [{ attn_type_list: [0, 0, 0, 2, 0] }, /attn_type_list/],
  ])("refuses %j in the m1 dialect", (change, message) => {
    expect(() => parseConfig({ ...m1, ...change })).toThrow(message);
  });

  it("answers anything else with a ConfigError", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(hf)), (value, key) => {
        for (const json of [value, { ...hf, [key]: value }]) {
          try {
            parseConfig(json);
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigError);
          }
        }
      }),
    );
  });
});
