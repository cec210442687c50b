import type * as z from "zod";
import {
  hfConfigFile,
  m1ConfigFile,
  m1ModelTypes,
  type HfConfigFile,
  type M1ConfigFile,
} from "./config-file.ts";
import { unknownKeys } from "./known-keys.ts";
import { ConfigError, type LayerType, type ModelConfig } from "./model-config.ts";

/**
 * Checks a `config.json` of either dialect and brings it to one form (SPEC section 2).
 *
 * @param json the parsed file
 * @throws ConfigError listing every problem: wrong types, unknown keys, sizes that do not fit
 */
export function parseConfig(json: unknown): ModelConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ConfigError(`config: expected an object, found ${JSON.stringify(json)}`);
  }
  const { model_type: modelType } = json as { model_type?: unknown };
  if (modelType === "minimax") return checked(fromHf(validated(hfConfigFile, json)));
  if (m1ModelTypes.some((name) => name === modelType)) {
    return checked(fromM1(validated(m1ConfigFile, json)));
  }
  throw new ConfigError(
    `config: expected model_type "minimax", "minimax_m1" or "minimax_text_01", found ${JSON.stringify(modelType)}`,
  );
}

function validated<T extends z.ZodObject>(schema: T, json: object): z.infer<T> {
  const problems = unknownKeys(Object.keys(json), Object.keys(schema.shape));
  const result = schema.safeParse(withoutNulls(json));
  for (const issue of result.error?.issues ?? []) {
    const found = issue.path.reduce<unknown>(
      (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
      json,
    );
    problems.push(`${issue.path.join(".")}: ${issue.message}, found ${JSON.stringify(found)}`);
  }
  if (!result.success || problems.length > 0) {
    throw new ConfigError(`config: ${problems.join("; ")}`);
  }
  return result.data;
}

/** A null says the same as an absent key, save for `num_key_value_heads`: null = one per head. */
function withoutNulls(json: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(json).filter(([key, value]) => value !== null || key === "num_key_value_heads"),
  );
}

type SharedPart = Omit<
  ModelConfig,
  "dialect" | "rotaryDim" | "blockSize" | "layerTypes" | "postnorm" | "alphaBeta"
>;

function fromShared(file: HfConfigFile | M1ConfigFile): SharedPart {
  const heads = file.num_attention_heads;
  return {
    modelType: file.model_type,
    vocabSize: file.vocab_size,
    hiddenSize: file.hidden_size,
    numHiddenLayers: file.num_hidden_layers,
    numAttentionHeads: heads,
    numKeyValueHeads: file.num_key_value_heads ?? heads,
    headDim: file.head_dim ?? file.hidden_size / heads,
    intermediateSize: file.intermediate_size,
    numLocalExperts: file.num_local_experts,
    numExpertsPerTok: file.num_experts_per_tok,
    rmsNormEps: file.rms_norm_eps,
    ropeTheta: file.rope_parameters?.rope_theta ?? file.rope_theta ?? 1e6,
    tieWordEmbeddings: file.tie_word_embeddings,
    routerAuxLossCoef: file.router_aux_loss_coef,
    maxPositionEmbeddings: file.max_position_embeddings,
    bosTokenId: file.bos_token_id ?? null,
    eosTokenId: [file.eos_token_id ?? []].flat(),
    padTokenId: file.pad_token_id ?? null,
    ...(file.quantization && {
      quantization: { bits: file.quantization.bits, blockSize: file.quantization.block_size },
    }),
  };
}

function fromHf(file: HfConfigFile): ModelConfig {
  const shared = fromShared(file);
  const layerTypes = file.layer_types?.map((type): LayerType =>
    type === "full_attention" ? "softmax" : "lightning",
  );
  return {
    ...shared,
    dialect: "hf",
    // transformers rotates the whole head, whatever the config says (SPEC 13.1).
    rotaryDim: shared.headDim,
    blockSize: file.block_size,
    layerTypes:
      layerTypes ??
      Array.from({ length: file.num_hidden_layers }, (_, i) => (i % 2 ? "lightning" : "softmax")),
    postnorm: true,
    alphaBeta: {
      lightning: factors(file.linear_attn_alpha_factor, file.linear_attn_beta_factor),
      softmax: factors(file.full_attn_alpha_factor, file.full_attn_beta_factor),
      moe: factors(file.mlp_alpha_factor, file.mlp_beta_factor),
    },
  };
}

function fromM1(file: M1ConfigFile): ModelConfig {
  const shared = fromShared(file);
  return {
    ...shared,
    dialect: "m1",
    rotaryDim: file.rotary_dim ?? shared.headDim,
    // m1 files have no key for it; short blocks suit CPUs.
    blockSize: 64,
    layerTypes: file.attn_type_list.map((type) => (type === 1 ? "softmax" : "lightning")),
    postnorm: file.postnorm,
    alphaBeta: {
      lightning: factors(
        file.layernorm_linear_attention_alpha,
        file.layernorm_linear_attention_beta,
      ),
      softmax: factors(file.layernorm_full_attention_alpha, file.layernorm_full_attention_beta),
      moe: factors(file.layernorm_mlp_alpha, file.layernorm_mlp_beta),
    },
  };
}

function factors(alpha = 1, beta = 1): { alpha: number; beta: number } {
  return { alpha, beta };
}

/** M1 has 2560; a file that claims far more must not make us list their tensors. */
const mostExperts = 100_000;

/** Rules between keys (SPEC section 2, "Validate"). */
function checked(config: ModelConfig): ModelConfig {
  const { numAttentionHeads, numKeyValueHeads, rotaryDim, headDim } = config;
  const { numExpertsPerTok, numLocalExperts, layerTypes, numHiddenLayers, vocabSize } = config;
  const rules: [boolean, string, unknown][] = [
    [layerTypes.length === numHiddenLayers, `${numHiddenLayers} layer types`, layerTypes.length],
    [
      numAttentionHeads % numKeyValueHeads === 0,
      `num_key_value_heads that divides num_attention_heads ${numAttentionHeads}`,
      numKeyValueHeads,
    ],
    [Number.isInteger(headDim), "hidden_size divisible by num_attention_heads", headDim],
    [
      rotaryDim % 2 === 0 && rotaryDim <= headDim,
      `an even rotary_dim of at most head_dim ${headDim}`,
      rotaryDim,
    ],
    [
      numExpertsPerTok <= numLocalExperts,
      `num_experts_per_tok of at most ${numLocalExperts}`,
      numExpertsPerTok,
    ],
    [
      numHiddenLayers * numLocalExperts <= mostExperts,
      `at most ${mostExperts} experts in all layers`,
      numHiddenLayers * numLocalExperts,
    ],
    [
      [config.bosTokenId, config.padTokenId, ...config.eosTokenId].every(
        (id) => id === null || id < vocabSize,
      ),
      `special token ids below vocab_size ${vocabSize}`,
      [config.bosTokenId, config.padTokenId, ...config.eosTokenId],
    ],
  ];
  const broken = rules.filter(([holds]) => !holds);
  if (broken.length > 0) {
    const list = broken.map(([, expected, found]) => `expected ${expected}, found ${found}`);
    throw new ConfigError(`config: ${list.join("; ")}`);
  }
  return config;
}
