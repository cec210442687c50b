import * as tf from "@tensorflow/tfjs-core";
import type { ModelConfig } from "../config/model-config.ts";
import { ModelStateError, unpackState } from "../model-state-bytes.ts";
import type { NextTokenModel } from "../next-token-model.ts";
import { countTokens, type TokenBatch } from "../token-batch.ts";
import type { StageRing } from "./stage-ring.ts";
import { StagedState } from "./staged-state.ts";

/**
 * A model whose layers are divided among threads, each with a memory of its own. It generates what
 * the whole model would; calls wait for the threads.
 */
export class StagedModel implements NextTokenModel<StagedState> {
  readonly config: ModelConfig;
  readonly #ring: StageRing;

  /** Takes ownership of `ring`. */
  constructor(config: ModelConfig, ring: StageRing) {
    this.config = config;
    this.#ring = ring;
  }

  /** How many threads share the layers. */
  get stages(): number {
    return this.#ring.stages.length;
  }

  /** False when a stage has ended or the model was disposed of: it must be loaded again. */
  get isOpen(): boolean {
    return this.#ring.isOpen;
  }

  /** An empty state for `batch` sequences; the caller disposes of it. */
  createState(batch: number): StagedState {
    const positions = Array<number>(batch).fill(0);
    return StagedState.make(this.#ring, { kind: "create", batch }, positions);
  }

  /**
   * The state that `serialize` wrote, here or of the whole model.
   * @throws ModelStateError for other bytes
   */
  deserializeState(bytes: Uint8Array): StagedState {
    const { header } = unpackState(bytes, this.config.numHiddenLayers);
    const request = { kind: "deserialize", bytes } as const;
    return StagedState.make(this.#ring, request, header.positions);
  }

  /**
   * Feeds the next tokens; `state` moves on.
   *
   * @returns `[batch, vocab]` logits of the last position
   * @throws TokenBatchError when the batch is ragged or has unknown ids; ModelStateError when an
   *   earlier error left the state half moved; OutOfMemoryError and StageError, naming the stage
   */
  advance(state: StagedState, tokens: TokenBatch): tf.Tensor2D {
    if (state.broken) {
      throw new ModelStateError(
        "state: expected a whole one, found one that an error left half moved",
      );
    }
    const counts = countTokens(tokens, this.config.vocabSize, state.batch);
    state.broken = true;
    const { values, shape } = state.advance(tokens, counts);
    state.broken = false;
    return tf.tensor2d(values, shape as [number, number]);
  }

  /** Ends the threads; their memory is free when the promise is kept. */
  async dispose(): Promise<void> {
    await this.#ring.close();
  }
}
