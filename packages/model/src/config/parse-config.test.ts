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

describe("parseConfig", () => {
  it.each(["parity/a_mix_lllf/config.json", "parity/i_m1_layout/config.json", "m1-config.json"])(
    "reads %s, and what toConfigJson writes of it",
    (path) => {
      const config = parseConfig(read(path));
      expect(parseConfig(toConfigJson(config))).toEqual(config);
    },
  );

  it("fills in the defaults of each dialect", () => {
    const { rotary_dim: _r, postnorm: _p, ...bare } = m1;
    expect(parseConfig(bare)).toMatchObject({ rotaryDim: 16, postnorm: false });
    const { rope_parameters: _rope, layer_types: _types, ...plain } = hf;
    const config = parseConfig({ ...plain, head_dim: null, num_key_value_heads: null });
    expect(config).toMatchObject({ headDim: 12, numKeyValueHeads: 4, ropeTheta: 1e6 });
    expect(config.layerTypes).toEqual(["softmax", "lightning", "softmax", "lightning"]);
    expect(parseConfig({ ...hf, rotary_dim: 4 }).rotaryDim).toBe(16);
  });

  it.each([
    [{ hidden_size: "48" }, /hidden_size: .*found "48"/],
    [{ hidden_size: -1 }, /hidden_size/],
    [{ vocab_size: undefined }, /vocab_size/],
    [{ hiden_size: 48 }, /unknown key "hiden_size" \(did you mean "hidden_size"\?\)/],
    [{ sliding_window: 128 }, /sliding_window.*found 128/],
    [{ hidden_act: "gelu" }, /hidden_act/],
    [{ rope_parameters: { rope_type: "yarn" } }, /rope_parameters.rope_type/],
    [{ rope_scaling: { factor: 2 } }, /rope_scaling/],
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
