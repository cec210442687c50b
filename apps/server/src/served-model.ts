import {
  planModel,
  softmaxTwin,
  type CausalLanguageModel,
  type ModelConfig,
  type NextTokenModel,
} from "@levin/model";
import type { Tokenizer } from "@levin/tokenizer";
import { z } from "zod";

/** Sampling where a request says nothing. */
export interface SamplingDefaults {
  temperature?: number | undefined;
  topK?: number | undefined;
  topP?: number | undefined;
  minP?: number | undefined;
  repetitionPenalty?: number | undefined;
}

const amount = z.number().min(0);

/** Multiply-adds times two of one token: `per_token + per_context_token · n`, where it is the n-th of a text. */
const flopsSchema = z.object({ per_token: amount, per_context_token: amount });

/** Sizes of a model, for people. */
export const modelDescriptionSchema = z.object({
  parameters: amount,
  active_parameters: amount,
  layers: amount,
  lightning_layers: amount,
  /** Bytes of the lightning state of one conversation, however long it is. */
  lightning_state_bytes: amount,
  /** Bytes that each token adds in the softmax layers, in bfloat16. */
  cache_bytes_per_token: amount,
  /** The same for a twin in which every layer is softmax attention. */
  softmax_twin_cache_bytes_per_token: amount,
  flops: flopsSchema,
  softmax_twin_flops: flopsSchema,
});

/** Sizes of a model, for people. */
export type ModelDescription = z.output<typeof modelDescriptionSchema>;

/** What answering requests needs to know of a model, wherever it runs. */
export interface ServedModel {
  model: { readonly config: NextTokenModel["config"] };
  tokenizer: Tokenizer;
  /** Jinja source. */
  chatTemplate: string;
  /** Name in the API. */
  modelId: string;
  /** Where its files are, for whoever runs it in a browser. */
  directory?: string;
  description?: ModelDescription;
  defaults?: SamplingDefaults;
  /** Longer prompts are refused, if the context has room for them or not. */
  maxPromptTokens?: number;
  /** What its tokens and saved states are known by; default: they are of this server alone. */
  fingerprint?: () => Promise<string>;
}

/** A model in this thread. */
export interface LoadedModel extends ServedModel {
  model: NextTokenModel | CausalLanguageModel;
}

/** Describes a model by its config. */
export function describeModel(config: ModelConfig): ModelDescription {
  const { parameters, state, contexts } = planModel(config, [0, 1]);
  const [empty, one] = contexts;
  const flops = (
    key: "flopsPerToken" | "softmaxTwinFlopsPerToken",
  ): z.output<typeof flopsSchema> => ({
    per_token: empty![key],
    per_context_token: one![key] - empty![key],
  });
  return {
    parameters: parameters.total,
    active_parameters: parameters.active,
    layers: config.layerTypes.length,
    lightning_layers: config.layerTypes.filter((type) => type === "lightning").length,
    lightning_state_bytes: state.lightningBytes,
    cache_bytes_per_token: state.cacheBytesPerToken,
    softmax_twin_cache_bytes_per_token: planModel(softmaxTwin(config), []).state.cacheBytesPerToken,
    flops: flops("flopsPerToken"),
    softmax_twin_flops: flops("softmaxTwinFlopsPerToken"),
  };
}
