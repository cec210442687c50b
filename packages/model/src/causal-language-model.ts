import { embedding, hasDecodeStep, linear, rmsNorm, rotaryAngles } from "@levin/kernels";
import type { RouterOutput } from "@levin/moe";
import * as tf from "@tensorflow/tfjs-core";
import type { ModelConfig } from "./config/model-config.ts";
import type { DecoderLayer, DecoderLayerOutput } from "./decoder-layer.ts";
import { fusedStep, type StepParts } from "./fused-step.ts";
import { buildDecoderLayer, parameter, type ModelParameters } from "./model-parameters.ts";
import { CausalModelState, ModelStateError } from "./model-state.ts";
import { tokenTensors, type TokenBatch, type TokenTensors } from "./token-batch.ts";

/** A whole differentiable pass over a batch. */
export interface ForwardResult {
  /** `[batch, length, vocab]` */
  logits: tf.Tensor3D;
  /** Router decisions of each layer over `batch · length` tokens. */
  routers: RouterOutput[];
  /** `[batch, length]`, 1 = real token; undefined without padding. */
  mask: tf.Tensor2D | undefined;
}

/** Called with intermediate results, for inspection and parity checks. */
export interface ForwardObserver {
  embedding?(hidden: tf.Tensor3D): void;
  layer?(index: number, output: DecoderLayerOutput): void;
  finalNorm?(hidden: tf.Tensor3D): void;
}

/** A step reads its weights anew for each row; from here on they are better multiplied together. */
const mostStepRows = 32;

/**
 * A MiniMax-M1 style causal language model (SPEC section 5): embedding → decoder layers → norm →
 * LM head.
 */
export class CausalLanguageModel {
  readonly config: ModelConfig;
  /** By on-disk tensor name; owned by the model. */
  readonly parameters: ModelParameters;
  readonly #layers: DecoderLayer[];
  readonly #embedding: tf.Tensor;
  readonly #finalNorm: tf.Tensor;
  readonly #head: tf.Tensor;

  /**
   * Takes ownership of `parameters`, tensors or variables.
   * @throws MissingParameterError when one is missing
   */
  constructor(config: ModelConfig, parameters: ModelParameters) {
    this.config = config;
    this.parameters = parameters;
    this.#embedding = parameter(parameters, "model.embed_tokens.weight");
    this.#layers = config.layerTypes.map((_, i) => buildDecoderLayer(config, parameters, i));
    this.#finalNorm = parameter(parameters, "model.norm.weight");
    this.#head = config.tieWordEmbeddings
      ? this.#embedding
      : parameter(parameters, "lm_head.weight");
  }

  /** An empty state for `batch` sequences; the caller disposes of it. */
  createState(batch: number): CausalModelState {
    const layers = this.#layers.map((layer) => layer.createState(batch));
    return new CausalModelState(layers, Array<number>(batch).fill(0), 0);
  }

  /** The state that `serialize` wrote; throws ModelStateError for other bytes. */
  deserializeState(bytes: Uint8Array): CausalModelState {
    return CausalModelState.deserialize(bytes, this.config);
  }

  /**
   * Feeds the next tokens; `state` moves on.
   *
   * @returns `[batch, vocab]` logits of the last position
   * @throws TokenBatchError when the batch is ragged or has unknown ids; ModelStateError when an
   *   earlier error, such as one of memory, left the state half moved
   */
  advance(state: CausalModelState, tokens: TokenBatch): tf.Tensor2D {
    if (state.broken) {
      throw new ModelStateError(
        "state: expected a whole one, found one that an error left half moved",
      );
    }
    return tf.tidy(() => {
      const batch = tokenTensors(tokens, this.config.vocabSize, state.positions);
      const [rows, length] = batch.ids.shape;
      const isStep = length === 1 && !batch.mask && rows <= mostStepRows && hasDecodeStep();
      state.broken = true;
      const logits = isStep
        ? fusedStep(this.#stepParts(), state, tokens.ids.flat())
        : this.#lastLogits(this.#decode(batch, { state }));
      state.broken = false;
      batch.counts.forEach((count, row) => (state.positions[row]! += count));
      state.length += length;
      return logits;
    });
  }

  /**
   * A whole pass without state, differentiable in the parameters.
   * @throws TokenBatchError when the batch is ragged or has unknown ids
   */
  forward(tokens: TokenBatch, observer: ForwardObserver = {}): ForwardResult {
    const batch = tokenTensors(tokens, this.config.vocabSize);
    const routers: RouterOutput[] = [];
    const hidden = this.#decode(batch, {
      observer: {
        ...observer,
        layer: (index, output) => {
          routers.push(output.router);
          observer.layer?.(index, output);
        },
      },
    });
    return { logits: this.#logits(hidden), routers, mask: batch.mask };
  }

  dispose(): void {
    for (const tensor of this.parameters.values()) tensor.dispose();
  }

  /** Final hidden states after the last norm, `[batch, length, hidden]`. */
  #decode(
    { ids, mask, positions }: TokenTensors,
    { state, observer }: { state?: CausalModelState; observer?: ForwardObserver },
  ): tf.Tensor3D {
    const { rotaryDim, ropeTheta: base, rmsNormEps } = this.config;
    const context = { mask, angles: rotaryAngles(positions, { rotaryDim, base }) };
    let hidden = embedding(ids, this.#embedding, this.config.padTokenId);
    observer?.embedding?.(hidden);
    this.#layers.forEach((layer, index) => {
      const output = layer.forward(hidden, context, state?.layers[index]);
      observer?.layer?.(index, output);
      hidden = output.hidden;
    });
    const normalised = rmsNorm(hidden, this.#finalNorm, rmsNormEps);
    observer?.finalNorm?.(normalised);
    return normalised;
  }

  /** `[batch, vocab]` of the last position. */
  #lastLogits(hidden: tf.Tensor3D): tf.Tensor2D {
    const [rows, length, width] = hidden.shape;
    const last = tf.slice3d(hidden, [0, length - 1, 0], [rows, 1, width]);
    return tf.reshape(this.#logits(last), [rows, -1]) as tf.Tensor2D;
  }

  #stepParts(): StepParts {
    const { rotaryDim, ropeTheta: base, rmsNormEps: epsilon } = this.config;
    return {
      ...{ embedding: this.#embedding, layers: this.#layers, finalNorm: this.#finalNorm },
      ...{ head: this.#head, epsilon, rotaryDim, base },
    };
  }

  #logits(hidden: tf.Tensor3D): tf.Tensor3D {
    return linear(hidden, this.#head) as tf.Tensor3D;
  }
}
