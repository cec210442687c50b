import {
  embedding,
  hasDecodeStep,
  linear,
  rmsNorm,
  rotaryAngles,
  type DecodeHead,
} from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";
import { allOrNone } from "./all-or-none.ts";
import type { ModelConfig } from "./config/model-config.ts";
import type { DecoderLayer, DecoderLayerOutput } from "./decoder-layer.ts";
import { fitsFusedStep, fusedStep } from "./fused-step.ts";
import { buildDecoderLayer, parameter, type ModelParameters } from "./model-parameters.ts";
import { CausalModelState, ModelStateError } from "./model-state.ts";
import { tokenTensors, type TokenBatch, type TokenTensors } from "./token-batch.ts";

/** Layers `from` to before `to` of a model. */
export interface LayerRange {
  from: number;
  to: number;
}

/** Called with intermediate results, for inspection and parity checks. */
export interface ForwardObserver {
  embedding?(hidden: tf.Tensor3D): void;
  layer?(index: number, output: DecoderLayerOutput): void;
  finalNorm?(hidden: tf.Tensor3D): void;
}

/** Norm and LM head; the norm of some families has no weight. */
type Head = Omit<DecodeHead, "norm"> & Partial<Pick<DecodeHead, "norm">>;

/** From more rows on, packing blocks of the weights for a product of all rows pays. */
const mostStepRows = 32;

/**
 * All layers of a model, or some of them that follow one another: the first begin with the
 * embedding, the last end with norm and LM head; in between are hidden states `[batch, length, hidden]`.
 */
export class Decoder {
  readonly #config: ModelConfig;
  readonly #range: LayerRange;
  readonly #layers: readonly DecoderLayer[];
  readonly #fitsFusedStep: boolean;
  /** `[vocab, hidden]` */
  readonly #embedding: tf.Tensor | undefined;
  readonly #head: Head | undefined;

  /** @throws MissingParameterError when one is missing */
  constructor(
    config: ModelConfig,
    parameters: ModelParameters,
    range: LayerRange = { from: 0, to: config.numHiddenLayers },
  ) {
    const { from, to } = range;
    const table = (): tf.Tensor => parameter(parameters, "model.embed_tokens.weight");
    this.#config = config;
    this.#range = range;
    this.#layers = config.layerTypes
      .slice(from, to)
      .map((_, i) => buildDecoderLayer(config, parameters, from + i));
    this.#fitsFusedStep = this.#layers.every(fitsFusedStep);
    if (from === 0) this.#embedding = table();
    if (to === config.numHiddenLayers) {
      this.#head = {
        ...(!config.plainNorms && { norm: parameter(parameters, "model.norm.weight") }),
        epsilon: config.rmsNormEps,
        weight: config.tieWordEmbeddings ? table() : parameter(parameters, "lm_head.weight"),
      };
    }
  }

  /** An empty state of these layers for `batch` sequences; the caller disposes of it. */
  createState(batch: number): CausalModelState {
    const layers = allOrNone(this.#layers, (layer) => layer.createState(batch));
    return new CausalModelState(layers, Array<number>(batch).fill(0), 0);
  }

  /** The state of these layers that `serialize` wrote; throws ModelStateError for other bytes. */
  deserializeState(bytes: Uint8Array): CausalModelState {
    const { from, to } = this.#range;
    const { layerTypes, linearPositions } = this.#config;
    return CausalModelState.deserialize(bytes, {
      ...this.#config,
      numHiddenLayers: to - from,
      layerTypes: layerTypes.slice(from, to),
      ...(linearPositions && { linearPositions: linearPositions.slice(from, to) }),
    });
  }

  /**
   * Feeds the next tokens; `state` moves on.
   *
   * @param input hidden states of `tokens`, where other layers come before these
   * @returns `[batch, vocab]` logits of the last position, or hidden states `[batch, length, hidden]`
   *   where others follow
   * @throws TokenBatchError when the batch is ragged or has unknown ids; ModelStateError when an
   *   earlier error, such as one of memory, left the state half moved
   */
  advance(state: CausalModelState, tokens: TokenBatch, input?: tf.Tensor3D): tf.Tensor {
    if (state.broken) {
      throw new ModelStateError(
        "state: expected a whole one, found one that an error left half moved",
      );
    }
    return tf.tidy(() => {
      const batch = tokenTensors(tokens, this.#config.vocabSize, state.positions);
      const [rows, length] = batch.ids.shape;
      const isStep = length === 1 && !batch.mask && rows <= mostStepRows;
      state.broken = true;
      const output =
        isStep && this.#fitsFusedStep && hasDecodeStep()
          ? this.#step(state, tokens, input)
          : this.#lastOutput(this.hidden(batch, { state, input }));
      state.broken = false;
      batch.counts.forEach((count, row) => (state.positions[row]! += count));
      state.length += length;
      return output;
    });
  }

  /** Hidden states behind these layers, `[batch, length, hidden]`, and behind the norm where they are the last. */
  hidden(
    { ids, mask, positions }: TokenTensors,
    {
      state,
      observer,
      input,
    }: {
      state?: CausalModelState;
      observer?: ForwardObserver;
      input?: tf.Tensor3D | undefined;
    },
  ): tf.Tensor3D {
    const { rotaryDim, ropeTheta: base } = this.#config;
    const context = { mask, positions, angles: rotaryAngles(positions, { rotaryDim, base }) };
    let hidden = input ?? this.#embed(ids);
    if (!input) observer?.embedding?.(hidden);
    this.#layers.forEach((layer, index) => {
      const output = layer.forward(hidden, context, state?.layers[index]);
      observer?.layer?.(index, output);
      hidden = output.hidden;
    });
    if (!this.#head) return hidden;
    const normalised = rmsNorm(hidden, this.#head.norm, this.#head.epsilon);
    observer?.finalNorm?.(normalised);
    return normalised;
  }

  #embed(ids: tf.Tensor2D): tf.Tensor3D {
    const { padTokenId, embeddingScale = 1 } = this.#config;
    const rows = embedding(ids, this.#embedding!, padTokenId);
    return embeddingScale === 1 ? rows : tf.mul(rows, embeddingScale);
  }

  /** `[batch, length, vocab]` of normalised hidden states, where these layers are the last. */
  logits(hidden: tf.Tensor3D): tf.Tensor3D {
    return linear(hidden, this.#head!.weight) as tf.Tensor3D;
  }

  #step(state: CausalModelState, { ids }: TokenBatch, input?: tf.Tensor3D): tf.Tensor {
    const { rotaryDim, ropeTheta: base, hiddenSize } = this.#config;
    const head = this.#head as DecodeHead | undefined;
    const parts = { layers: this.#layers, head, rotaryDim, base };
    const rows = ids.length;
    // Each row of hidden states is looked up as an embedding would be.
    const output = input
      ? fusedStep(
          { ...parts, embedding: tf.reshape(input, [rows, hiddenSize]) },
          state,
          ids.map((_, row) => row),
        )
      : fusedStep({ ...parts, embedding: this.#embedding! }, state, ids.flat());
    return head ? output : tf.reshape(output, [rows, 1, hiddenSize]);
  }

  /** `[batch, vocab]` of the last position, or all hidden states. */
  #lastOutput(hidden: tf.Tensor3D): tf.Tensor {
    if (!this.#head) return hidden;
    const [rows, length, width] = hidden.shape;
    const last = tf.slice3d(hidden, [0, length - 1, 0], [rows, 1, width]);
    return tf.reshape(this.logits(last), [rows, -1]);
  }
}
