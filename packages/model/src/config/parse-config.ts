import type { GroupedRouting } from "@levin/moe";
import type * as z from "zod";
import {
  hfConfigFile,
  m1ConfigFile,
  m1ModelTypes,
  ringConfigFile,
  transnormerConfigFile,
} from "./config-file.ts";
import { fromHf, fromM1 } from "./from-minimax.ts";
import { fromRing } from "./from-ring.ts";
import { fromTransnormer } from "./from-transnormer.ts";
import { unknownKeys } from "./known-keys.ts";
import { ConfigError, type ModelConfig } from "./model-config.ts";

/** How the files of each `model_type` are read. */
const readers: Record<string, (json: object) => ModelConfig> = {
  minimax: (json) => fromHf(validated(hfConfigFile, json)),
  ...Object.fromEntries(
    m1ModelTypes.map((name) => [name, (json: object) => fromM1(validated(m1ConfigFile, json))]),
  ),
  bailing_moe_linear: (json) => fromRing(validated(ringConfigFile, json)),
  transnormer: (json) => fromTransnormer(validated(transnormerConfigFile, json)),
};

/**
 * Checks a `config.json` of any family and brings it to one form (SPEC section 2).
 *
 * @param json the parsed file
 * @throws ConfigError listing every problem: wrong types, unknown keys, sizes that do not fit
 */
export function parseConfig(json: unknown): ModelConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ConfigError(`config: expected an object, found ${JSON.stringify(json)}`);
  }
  const { model_type: modelType } = json as { model_type?: unknown };
  if (typeof modelType === "string" && Object.hasOwn(readers, modelType)) {
    return checked(readers[modelType]!(json));
  }
  const known = Object.keys(readers).map((name) => `"${name}"`);
  throw new ConfigError(
    `config: expected model_type ${known.join(", ")}, found ${JSON.stringify(modelType)}`,
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

/** M1 has 2560; a file that claims far more must not make us list their tensors. */
const mostExperts = 100_000;

type Rule = [holds: boolean, expected: string, found: unknown];

/** The keys that `headDim` and `rotaryDim` come from, in the files of each family. */
const keysOf: Record<
  ModelConfig["dialect"],
  { width: string; heads: string; evenRotary: (headDim: number) => string }
> = {
  hf: {
    ...{ width: "hidden_size", heads: "num_attention_heads" },
    evenRotary: () => "an even head_dim",
  },
  m1: {
    ...{ width: "hidden_size", heads: "num_attention_heads" },
    evenRotary: (headDim) => `an even rotary_dim of at most head_dim ${headDim}`,
  },
  ring: {
    ...{ width: "hidden_size", heads: "num_attention_heads" },
    evenRotary: (headDim) =>
      `partial_rotary_factor to rotate an even number of head_dim ${headDim}`,
  },
  transnormer: {
    ...{ width: "hidden_dim", heads: "decoder_attention_heads" },
    evenRotary: () => "no rotary embedding",
  },
};

/** Rules between keys (SPEC section 2, "Validate"). */
function checked(config: ModelConfig): ModelConfig {
  const { numAttentionHeads, numKeyValueHeads, rotaryDim, headDim } = config;
  const keys = keysOf[config.dialect];
  const { numExpertsPerTok, numLocalExperts, layerTypes, numHiddenLayers, vocabSize } = config;
  const { routing, lightning, linearPositions } = config;
  const rules: Rule[] = [
    [layerTypes.length === numHiddenLayers, `${numHiddenLayers} layer types`, layerTypes.length],
    [
      numAttentionHeads % numKeyValueHeads === 0,
      `num_key_value_heads that divides num_attention_heads ${numAttentionHeads}`,
      numKeyValueHeads,
    ],
    [
      Number.isInteger(headDim),
      `${keys.width} divisible by ${keys.heads} ${numAttentionHeads}`,
      headDim * numAttentionHeads,
    ],
    [rotaryDim % 2 === 0 && rotaryDim <= headDim, keys.evenRotary(headDim), rotaryDim],
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
    ...(routing ? groupRules(routing, config) : []),
    ...(linearPositions ? linearPositionRules(linearPositions, config) : []),
    [
      (numAttentionHeads * headDim) % (lightning?.normGroups ?? 1) === 0,
      `group_norm_size that divides ${numAttentionHeads} heads of ${headDim}`,
      lightning?.normGroups,
    ],
  ];
  const broken = rules.filter(([holds]) => !holds);
  if (broken.length > 0) {
    const list = broken.map(([, expected, found]) => `expected ${expected}, found ${found}`);
    throw new ConfigError(`config: ${list.join("; ")}`);
  }
  return config;
}

function groupRules(
  { groups, groupsPerToken }: GroupedRouting,
  { numLocalExperts, numExpertsPerTok }: ModelConfig,
): Rule[] {
  const size = numLocalExperts / groups;
  return [
    [
      Number.isInteger(size) && size >= 2,
      `n_group that divides ${numLocalExperts} experts into groups of two or more`,
      groups,
    ],
    [groupsPerToken <= groups, `topk_group of at most ${groups}`, groupsPerToken],
    [
      numExpertsPerTok <= groupsPerToken * size,
      `num_experts_per_tok of at most ${groupsPerToken * size}, the experts of topk_group groups`,
      numExpertsPerTok,
    ],
  ];
}

function linearPositionRules(
  linearPositions: readonly boolean[],
  { numHiddenLayers, numAttentionHeads, headDim, hiddenSize }: ModelConfig,
): Rule[] {
  const width = numAttentionHeads * headDim;
  return [
    [
      linearPositions.length === numHiddenLayers,
      `linear_use_lrpe_list of ${numHiddenLayers} layers`,
      linearPositions.length,
    ],
    [
      width === hiddenSize || !linearPositions.includes(true),
      `hidden_dim of decoder_embed_dim ${hiddenSize} where layers have LRPE`,
      width,
    ],
  ];
}
