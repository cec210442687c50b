import * as tf from "@tensorflow/tfjs-core";
import type { ModelConfig } from "../config/model-config.ts";
import { Decoder, type LayerRange } from "../decoder.ts";
import type { ModelParameters } from "../model-parameters.ts";
import { ModelStateError, packState, unpackState } from "../model-state-bytes.ts";
import type { CausalModelState } from "../model-state.ts";
import type { StageMessage, StageRequest } from "./stage-message.ts";

/** Some layers of a model and their part of every state. */
export class Stage {
  readonly #config: ModelConfig;
  readonly #range: LayerRange;
  readonly #decoder: Decoder;
  readonly #states = new Map<number, CausalModelState>();

  constructor(config: ModelConfig, parameters: ModelParameters, range: LayerRange) {
    this.#config = config;
    this.#range = range;
    this.#decoder = new Decoder(config, parameters, range);
  }

  /** Does its part of a request; the message for the next stage. */
  handle(message: StageMessage): StageMessage {
    const { request } = message;
    if (request.kind === "dispose") {
      this.#states.get(request.state)?.dispose();
      this.#states.delete(request.state);
      return message;
    }
    if (request.kind === "advance") return this.#advance(message, request);
    if (request.kind === "serialize") {
      const layers = this.#state(request.state).layers.map((layer) => layer.serialize());
      return { ...message, layers: [...message.layers, ...layers] };
    }
    const state = this.#made(request);
    this.#states.set(request.state, state);
    return this.#sized(message, state);
  }

  #made(
    request: Extract<StageRequest, { kind: "create" | "clone" | "regroup" | "deserialize" }>,
  ): CausalModelState {
    switch (request.kind) {
      case "create":
        return this.#decoder.createState(request.batch);
      case "clone":
        return this.#state(request.of).clone();
      case "regroup": {
        const others = request.others.map((other) => this.#state(other));
        return this.#state(request.of).regroup(request.rows, others);
      }
      case "deserialize": {
        const { header, layers } = unpackState(request.bytes, this.#config.numHiddenLayers);
        const { from, to } = this.#range;
        return this.#decoder.deserializeState(packState(header, layers.slice(from, to)));
      }
    }
  }

  #advance(
    message: StageMessage,
    { state: number, tokens }: Extract<StageRequest, { kind: "advance" }>,
  ): StageMessage {
    const state = this.#state(number);
    const output = tf.tidy(() => {
      const { values, shape } = message.output ?? {};
      const input = values && tf.tensor3d(values, shape as [number, number, number]);
      const result = this.#decoder.advance(state, tokens, input);
      return { values: result.dataSync() as Float32Array, shape: result.shape };
    });
    return { ...this.#sized(message, state), output };
  }

  #sized(message: StageMessage, { byteLength, length }: CausalModelState): StageMessage {
    return {
      ...message,
      byteLength: message.byteLength + byteLength,
      length: Math.max(message.length, length),
    };
  }

  #state(number: number): CausalModelState {
    const state = this.#states.get(number);
    if (!state) throw new ModelStateError("state: expected one in use, found one disposed of");
    return state;
  }
}
