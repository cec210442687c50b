import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { LightningAttentionState } from "@levin/lightning-attention";
import type { RouterOutput } from "@levin/moe";
import { CausalLanguageModel, type ForwardObserver } from "../causal-language-model.ts";
import { loadModel } from "../load-model.ts";
import { languageModelLosses, type LanguageModelLosses } from "../losses.ts";
import type { CausalModelState } from "../model-state.ts";
import {
  compareExact,
  compareGradient,
  compareScaled,
  type Comparison,
  type Values,
} from "./comparison.ts";
import { GoldenCase } from "./golden-case.ts";

/**
 * Runs the model of a case directory (`config.json`, `model.safetensors`, `golden.safetensors`) and
 * compares every quantity of the golden file (SPEC section 12).
 */
export async function compareCase(directory: string): Promise<Comparison[]> {
  const golden = await GoldenCase.read(directory);
  const model = withPadding(await loadModel(directory, { trainable: true }), golden);
  try {
    const comparisons: Comparison[] = [];
    for (const compare of [compareForward, compareGeneration, compareGradients]) {
      tf.tidy(() => void comparisons.push(...compare(model, golden)));
    }
    return comparisons;
  } finally {
    model.dispose();
  }
}

/**
 * PyTorch does not train the embedding of the padding id; M1's config files have no key for it, so
 * where padding is used the golden file says which it is.
 */
function withPadding(model: CausalLanguageModel, { paddingId }: GoldenCase): CausalLanguageModel {
  const padTokenId = model.config.padTokenId ?? paddingId;
  return new CausalLanguageModel({ ...model.config, padTokenId }, model.parameters);
}

/** Compares a tensor of one vector per token, if the golden file has it. */
function perToken(golden: GoldenCase, quantity: string, found: tf.Tensor): Comparison[] {
  const expected = golden.tensors.get(quantity);
  if (!expected) return [];
  const counts = golden.realTokens(expected.shape.at(-1)!);
  return [compareScaled(quantity, found.dataSync() as Values, expected.values, { counts })];
}

function compareForward(model: CausalLanguageModel, golden: GoldenCase): Comparison[] {
  const results: Comparison[] = [];
  const observer: ForwardObserver = {
    embedding: (hidden) => results.push(...perToken(golden, "hidden.embed", hidden)),
    layer: (i, { hidden, attention, mixture, router }) => {
      results.push(
        ...perToken(golden, `hidden.layer.${i}`, hidden),
        ...perToken(golden, `debug.attn_out.${i}`, attention),
        ...perToken(golden, `debug.moe_out.${i}`, mixture),
        ...compareRouter(golden, i, router),
      );
    },
    finalNorm: (hidden) => results.push(...perToken(golden, "hidden.final_norm", hidden)),
  };
  const result = model.forward(golden.batch, observer);
  results.push(...perToken(golden, "logits", result.logits));
  const losses = languageModelLosses(result, golden.labels, model.config.routerAuxLossCoef);
  const scalars = [
    ["loss", losses.crossEntropy],
    ["aux_loss", losses.loadBalancing],
    ["loss_total", losses.total],
  ] as const;
  for (const [quantity, found] of scalars) {
    const expected = golden.tensor(quantity).values;
    results.push(compareScaled(quantity, found.dataSync() as Values, expected, { limit: 2e-5 }));
  }
  return results;
}

function compareRouter(golden: GoldenCase, i: number, router: RouterOutput): Comparison[] {
  const experts = golden.tensor(`router_experts.${i}`);
  const counts = golden.realTokens(experts.shape.at(-1)!);
  return [
    ...perToken(golden, `router_logits.${i}`, router.logits),
    ...perToken(golden, `router_weights.${i}`, router.weights),
    compareExact(
      `router_experts.${i}`,
      router.experts.dataSync() as Values,
      experts.values,
      counts,
    ),
  ];
}

function compareGeneration(model: CausalLanguageModel, golden: GoldenCase): Comparison[] {
  const expectedIds = golden.tensor("generated_ids");
  const expectedLogits = golden.tensor("generated_logits");
  const [batch, steps] = expectedIds.shape as [number, number];
  const vocab = model.config.vocabSize;
  const state = model.createState(batch);
  const ids = new Int32Array(batch * steps);
  const logits = new Float32Array(batch * steps * vocab);
  let next = model.advance(state, golden.batch);
  const results = [...compareStates(golden, "prefill", state), ...compareCaches(golden, state)];
  for (let step = 0; step < steps; step++) {
    const rows = next.arraySync();
    const chosen = rows.map((row) => row.indexOf(row.reduce((a, b) => Math.max(a, b))));
    rows.forEach((row, b) => {
      logits.set(row, (b * steps + step) * vocab);
      ids[b * steps + step] = chosen[b]!;
    });
    if (step < steps - 1) next = model.advance(state, { ids: chosen.map((id) => [id]) });
  }
  results.push(
    compareExact("generated_ids", ids, expectedIds.values),
    compareScaled("generated_logits", logits, expectedLogits.values),
    ...compareStates(golden, "generated", state),
  );
  state.dispose();
  return results;
}

function compareStates(golden: GoldenCase, when: string, state: CausalModelState): Comparison[] {
  return state.layers.flatMap((layer, i) => {
    const quantity = `lightning_state.${when}.${i}`;
    const expected = golden.tensors.get(quantity);
    if (!expected || !(layer instanceof LightningAttentionState)) return [];
    return [compareScaled(quantity, layer.matrix.dataSync() as Values, expected.values)];
  });
}

function compareCaches(golden: GoldenCase, state: CausalModelState): Comparison[] {
  return state.layers.flatMap((layer, i) => {
    if (layer instanceof LightningAttentionState) return [];
    return (["keys", "values"] as const).flatMap((part) => {
      const quantity = `debug.${part[0]}_cache.${i}`;
      const expected = golden.tensors.get(quantity);
      if (!expected) return [];
      const found = tf.concat(layer[part], 2).dataSync() as Values;
      const counts = golden.realCacheTokens(expected.shape);
      return [compareScaled(quantity, found, expected.values, { counts })];
    });
  });
}

function compareGradients(model: CausalLanguageModel, golden: GoldenCase): Comparison[] {
  const names = [...golden.tensors.keys()];
  const kinds = { "grad.loss.": "crossEntropy", "grad.loss_total.": "total" } as const;
  return Object.entries(kinds).flatMap(([prefix, kind]) => {
    const wanted = names.filter((name) => name.startsWith(prefix));
    if (wanted.length === 0) return [];
    const gradients = lossGradients(model, golden, kind);
    return wanted.map((quantity) =>
      compareGradient(
        quantity,
        gradients(quantity.slice(prefix.length)),
        golden.tensor(quantity).values,
      ),
    );
  });
}

function lossGradients(
  model: CausalLanguageModel,
  golden: GoldenCase,
  kind: keyof LanguageModelLosses,
): (name: string) => Values {
  const variables = [...model.parameters.values()] as tf.Variable[];
  const { grads } = tf.variableGrads(
    () =>
      languageModelLosses(
        model.forward(golden.batch),
        golden.labels,
        model.config.routerAuxLossCoef,
      )[kind],
    variables,
  );
  return (name) => {
    const variable = model.parameters.get(name) as tf.Variable | undefined;
    const gradient = variable && grads[variable.name];
    // A parameter that the loss does not reach has no gradient: zero.
    return (gradient?.dataSync() ?? new Float32Array(variable?.size ?? 0)) as Values;
  };
}
