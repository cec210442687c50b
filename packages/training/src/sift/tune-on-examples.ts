import { CausalLanguageModel, checkTokenIds } from "@levin/model";
import { createAdamWState, disposeAdamWState } from "../adamw.ts";
import { batchExamples, type Example } from "../example.ts";
import { createLora, type LoraOptions } from "../lora/create-lora.ts";
import { loraModel, mergeLora } from "../lora/lora-model.ts";
import { trainableModel } from "../trainable-model.ts";
import { updateStep } from "../update-step.ts";

/** Options of {@link tuneOnExamples}. */
export interface TuneOptions extends LoraOptions {
  /** Of every step; default 0.005. */
  learningRate?: number;
  /** Times that all examples are gone through; default 1. */
  passes?: number;
}

/** A model tuned for a moment. */
export interface TunedModel {
  /** The model with the changes folded in. */
  model: CausalLanguageModel;
  /** Cross entropy of each step's example, before the step. */
  losses: number[];
  /** Frees the tuned model; the one it came from was never touched. */
  drop(): void;
}

/**
 * Takes one LoRA step for each example, in order, as test-time fine-tuning does (arXiv 2410.08020,
 * section 4). `model` stays as it is, even when a step fails.
 *
 * @throws ExampleError, TokenBatchError, LoraError; DivergedError when a loss is not finite
 */
export async function tuneOnExamples(
  model: CausalLanguageModel,
  examples: readonly Example[],
  { learningRate = 0.005, passes = 1, ...lora }: TuneOptions = {},
): Promise<TunedModel> {
  // Before anything is computed: tfjs keeps tensors of a forward pass that fails.
  for (const { ids } of examples) checkTokenIds(ids, model.config.vocabSize);
  const adapter = createLora(model, lora);
  const state = createAdamWState(adapter.parameters);
  const losses: number[] = [];
  try {
    // Balance among experts is no matter of a single example.
    const config = { ...model.config, routerAuxLossCoef: 0 };
    const unbalanced = new CausalLanguageModel(config, model.parameters);
    const trainable = loraModel(unbalanced, adapter, trainableModel);
    for (let pass = 0; pass < passes; pass++) {
      for (const example of examples) {
        const batches = batchExamples([example], example.ids.length);
        const step = await updateStep(trainable, state, batches, {
          learningRate,
          optimizer: { epsilon: 1e-8, weightDecay: 0 },
        });
        losses.push(step.losses.crossEntropy);
      }
    }
    const tuned = mergeLora(model, adapter);
    return { model: tuned, losses, drop: () => tuned.dispose() };
  } finally {
    adapter.dispose();
    disposeAdamWState(state);
  }
}
