import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { LightningAttentionState } from "@levin/lightning-attention";
import type { RouterOutput } from "@levin/moe";
import { CausalLanguageModel } from "../causal-language-model.ts";
import type { ForwardObserver } from "../decoder.ts";
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

/** A quantity that the model gave, and its comparison once the numbers are read. */
interface Measured {
  found: tf.Tensor | Values;
  compare: (values: Values) => Comparison;
}

/**
 * Runs the model of a case directory (`config.json`, `model.safetensors`, `golden.safetensors`) and
 * compares every quantity of the golden file (SPEC section 12).
 */
export async function compareCase(directory: string): Promise<Comparison[]> {
  const golden = await GoldenCase.read(directory);
  const model = withPadding(await loadModel(directory, { trainable: true }), golden);
  try {
    return [
      ...(await compareAll(measure(() => measureForward(model, golden)))),
      ...(await compareAll(await measureGeneration(model, golden))),
      ...(await compareAll(measure(() => measureGradients(model, golden)))),
    ];
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

/** Disposes of all tensors but those that were measured. */
function measure(run: () => Measured[]): Measured[] {
  let measured: Measured[] = [];
  tf.tidy(() => {
    measured = run();
    return measured.map(({ found }) => found).filter((found) => found instanceof tf.Tensor);
  });
  return measured;
}

/** Reads, compares and disposes of what was measured. */
async function compareAll(measured: readonly Measured[]): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const { found, compare } of measured) {
    comparisons.push(
      compare(found instanceof tf.Tensor ? ((await found.data()) as Values) : found),
    );
  }
  for (const { found } of measured) if (found instanceof tf.Tensor) found.dispose();
  return comparisons;
}

/** A tensor of one vector per token, if the golden file has it. */
function perToken(golden: GoldenCase, quantity: string, found: tf.Tensor): Measured[] {
  const expected = golden.tensors.get(quantity);
  if (!expected) return [];
  const counts = golden.realTokens(expected.shape.at(-1)!);
  const compare = (values: Values): Comparison =>
    compareScaled(quantity, values, expected.values, { counts });
  return [{ found, compare }];
}

function measureForward(model: CausalLanguageModel, golden: GoldenCase): Measured[] {
  const results: Measured[] = [];
  const observer: ForwardObserver = {
    embedding: (hidden) => results.push(...perToken(golden, "hidden.embed", hidden)),
    layer: (i, { hidden, attention, feedForward, router }) => {
      results.push(
        ...perToken(golden, `hidden.layer.${i}`, hidden),
        ...perToken(golden, `debug.attn_out.${i}`, attention),
        ...perToken(golden, `debug.moe_out.${i}`, feedForward),
        ...(router ? measureRouter(golden, i, router) : []),
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
    const expected = golden.tensors.get(quantity);
    if (!expected) continue;
    const compare = (values: Values): Comparison =>
      compareScaled(quantity, values, expected.values, { limit: 2e-5 });
    results.push({ found, compare });
  }
  return results;
}

function measureRouter(golden: GoldenCase, i: number, router: RouterOutput): Measured[] {
  const experts = golden.tensor(`router_experts.${i}`);
  const counts = golden.realTokens(experts.shape.at(-1)!);
  const compare = (values: Values): Comparison =>
    compareExact(`router_experts.${i}`, values, experts.values, counts);
  return [
    ...perToken(golden, `router_logits.${i}`, router.logits),
    ...perToken(golden, `router_weights.${i}`, router.weights),
    { found: router.experts, compare },
  ];
}

async function measureGeneration(
  model: CausalLanguageModel,
  golden: GoldenCase,
): Promise<Measured[]> {
  const expectedIds = golden.tensor("generated_ids");
  const expectedLogits = golden.tensor("generated_logits");
  const [batch, steps] = expectedIds.shape as [number, number];
  const vocab = model.config.vocabSize;
  const state = model.createState(batch);
  const ids = new Int32Array(batch * steps);
  const logits = new Float32Array(batch * steps * vocab);
  let next = model.advance(state, golden.batch);
  const results = [...measureStates(golden, "prefill", state), ...measureCaches(golden, state)];
  for (let step = 0; step < steps; step++) {
    const rows = await next.array();
    next.dispose();
    const chosen = rows.map((row) => row.indexOf(row.reduce((a, b) => Math.max(a, b))));
    rows.forEach((row, b) => {
      logits.set(row, (b * steps + step) * vocab);
      ids[b * steps + step] = chosen[b]!;
    });
    if (step < steps - 1) next = model.advance(state, { ids: chosen.map((id) => [id]) });
  }
  results.push(
    {
      found: ids,
      compare: (values) => compareExact("generated_ids", values, expectedIds.values),
    },
    {
      found: logits,
      compare: (values) => compareScaled("generated_logits", values, expectedLogits.values),
    },
    ...measureStates(golden, "generated", state),
  );
  state.dispose();
  return results;
}

function measureStates(golden: GoldenCase, when: string, state: CausalModelState): Measured[] {
  return state.layers.flatMap((layer, i) => {
    const quantity = `lightning_state.${when}.${i}`;
    const expected = golden.tensors.get(quantity);
    if (!expected || !(layer instanceof LightningAttentionState)) return [];
    const compare = (values: Values): Comparison =>
      compareScaled(quantity, values, expected.values);
    return [{ found: tf.clone(layer.matrix), compare }];
  });
}

function measureCaches(golden: GoldenCase, state: CausalModelState): Measured[] {
  return state.layers.flatMap((layer, i) => {
    if (layer instanceof LightningAttentionState) return [];
    return (["keys", "values"] as const).flatMap((part) => {
      const quantity = `debug.${part[0]}_cache.${i}`;
      const expected = golden.tensors.get(quantity);
      if (!expected) return [];
      const counts = golden.realCacheTokens(expected.shape);
      const compare = (values: Values): Comparison =>
        compareScaled(quantity, values, expected.values, { counts });
      return [{ found: tf.concat(layer[part], 2), compare }];
    });
  });
}

function measureGradients(model: CausalLanguageModel, golden: GoldenCase): Measured[] {
  const names = [...golden.tensors.keys()];
  const kinds = { "grad.loss.": "crossEntropy", "grad.loss_total.": "total" } as const;
  return Object.entries(kinds).flatMap(([prefix, kind]) => {
    const wanted = names.filter((name) => name.startsWith(prefix));
    if (wanted.length === 0) return [];
    const gradients = lossGradients(model, golden, kind);
    return wanted.map((quantity) => ({
      found: gradients(quantity.slice(prefix.length)),
      compare: (values) => compareGradient(quantity, values, golden.tensor(quantity).values),
    }));
  });
}

function lossGradients(
  model: CausalLanguageModel,
  golden: GoldenCase,
  kind: keyof LanguageModelLosses,
): (name: string) => tf.Tensor | Values {
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
    return gradient ?? new Float32Array(variable?.size ?? 0);
  };
}
