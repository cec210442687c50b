import { adamW } from "@levin/kernels";
import * as tf from "@tensorflow/tfjs-core";

/** Options of {@link adamWUpdate}. */
export interface AdamWOptions {
  /** Decay rates of the moments; default 0.9 and 0.95 as in the paper. */
  beta1?: number;
  beta2?: number;
  /** Default 1e-15 as in the paper: gradients of large models are tiny. */
  epsilon?: number;
  /** Decoupled weight decay of matrices; norms and angles are spared. Default 0.1. */
  weightDecay?: number;
}

/** First and second moments of each parameter, and updates so far: plain data, to be saved. */
export interface AdamWState {
  step: number;
  first: Map<string, tf.Tensor>;
  second: Map<string, tf.Tensor>;
}

/** Moments of zero. */
export function createAdamWState(parameters: ReadonlyMap<string, tf.Tensor>): AdamWState {
  const zeros = (): Map<string, tf.Tensor> =>
    new Map([...parameters].map(([name, { shape }]) => [name, tf.keep(tf.zeros(shape))]));
  return { step: 0, first: zeros(), second: zeros() };
}

/**
 * One update of AdamW (Loshchilov & Hutter, arXiv 1711.05101); moves parameters and state on.
 *
 * @param gradients by parameter name; a missing one leaves its parameter alone
 */
export function adamWUpdate(
  parameters: ReadonlyMap<string, tf.Variable>,
  gradients: ReadonlyMap<string, tf.Tensor>,
  state: AdamWState,
  rate: {
    learningRate: number;
    /** Multiplies every gradient, as clipping asks. */
    scale?: number;
  },
  options: AdamWOptions = {},
): void {
  const { beta1 = 0.9, beta2 = 0.95, epsilon = 1e-15, weightDecay = 0.1 } = options;
  const { learningRate, scale = 1 } = rate;
  state.step += 1;
  const names = [...gradients.keys()];
  const variables = names.map((name) => parameters.get(name)!);
  tf.tidy(() => {
    const next = adamW(
      {
        parameters: variables,
        gradients: [...gradients.values()],
        first: names.map((name) => state.first.get(name)!),
        second: names.map((name) => state.second.get(name)!),
      },
      {
        keepFirst: beta1,
        addFirst: (1 - beta1) * scale,
        keepSecond: beta2,
        addSecond: (1 - beta2) * scale ** 2,
        unbias: 1 / (1 - beta2 ** state.step),
        epsilon,
        rate: learningRate / (1 - beta1 ** state.step),
        shrinks: variables.map(({ rank }) => (rank === 2 ? 1 - learningRate * weightDecay : 1)),
      },
    );
    names.forEach((name, i) => {
      variables[i]!.assign(next.parameters[i]!);
      replace(state.first, name, next.first[i]!);
      replace(state.second, name, next.second[i]!);
    });
  });
}

function replace(map: Map<string, tf.Tensor>, name: string, next: tf.Tensor): void {
  map.get(name)?.dispose();
  map.set(name, tf.keep(next));
}

/** Frees the moments. */
export function disposeAdamWState({ first, second }: AdamWState): void {
  tf.dispose([...first.values(), ...second.values()]);
}
