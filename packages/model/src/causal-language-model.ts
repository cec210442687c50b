import type { RouterOutput } from "@levin/moe";
import type * as tf from "@tensorflow/tfjs-core";
import type { ModelConfig } from "./config/model-config.ts";
import { Decoder, type ForwardObserver } from "./decoder.ts";
import type { ModelParameters } from "./model-parameters.ts";
import type { CausalModelState } from "./model-state.ts";
import { tokenTensors, type TokenBatch } from "./token-batch.ts";

/** A whole differentiable pass over a batch. */
export interface ForwardResult {
  /** `[batch, length, vocab]` */
  logits: tf.Tensor3D;
  /** Router decisions of each layer with experts over `batch · length` tokens. */
  routers: RouterOutput[];
  /** `[batch, length]`, 1 = real token; undefined without padding. */
  mask: tf.Tensor2D | undefined;
}

/**
 * A causal language model of the lightning-attention family (SPEC section 5): embedding → decoder
 * layers → norm → LM head.
 */
export class CausalLanguageModel {
  readonly config: ModelConfig;
  /** By the names of `tensorShapes`; owned by the model. */
  readonly parameters: ModelParameters;
  readonly #decoder: Decoder;

  /**
   * Takes ownership of `parameters`, tensors or variables.
   * @throws MissingParameterError when one is missing
   */
  constructor(config: ModelConfig, parameters: ModelParameters) {
    this.config = config;
    this.parameters = parameters;
    this.#decoder = new Decoder(config, parameters);
  }

  /** An empty state for `batch` sequences; the caller disposes of it. */
  createState(batch: number): CausalModelState {
    return this.#decoder.createState(batch);
  }

  /** The state that `serialize` wrote; throws ModelStateError for other bytes. */
  deserializeState(bytes: Uint8Array): CausalModelState {
    return this.#decoder.deserializeState(bytes);
  }

  /**
   * Feeds the next tokens; `state` moves on.
   *
   * @returns `[batch, vocab]` logits of the last position
   * @throws TokenBatchError when the batch is ragged or has unknown ids; ModelStateError when an
   *   earlier error, such as one of memory, left the state half moved
   */
  advance(state: CausalModelState, tokens: TokenBatch): tf.Tensor2D {
    return this.#decoder.advance(state, tokens) as tf.Tensor2D;
  }

  /**
   * A whole pass without state, differentiable in the parameters.
   * @throws TokenBatchError when the batch is ragged or has unknown ids
   */
  forward(tokens: TokenBatch, observer: ForwardObserver = {}): ForwardResult {
    const batch = tokenTensors(tokens, this.config.vocabSize);
    const routers: RouterOutput[] = [];
    const hidden = this.#decoder.hidden(batch, {
      observer: {
        ...observer,
        layer: (index, output) => {
          if (output.router) routers.push(output.router);
          observer.layer?.(index, output);
        },
      },
    });
    return { logits: this.#decoder.logits(hidden), routers, mask: batch.mask };
  }

  /**
   * What the LM head reads: `[batch, length, hidden]` behind the final norm, without state and
   * without logits, differentiable in the parameters.
   * @throws TokenBatchError when the batch is ragged or has unknown ids
   */
  hiddenStates(tokens: TokenBatch): tf.Tensor3D {
    return this.#decoder.hidden(tokenTensors(tokens, this.config.vocabSize), {});
  }

  dispose(): void {
    for (const tensor of this.parameters.values()) tensor.dispose();
  }
}
