import * as tf from "@tensorflow/tfjs-core";

export interface AdamWOptions {
  /** Decay rates of the moments; default 0.9 and 0.95 as in the paper. */
  beta1?: number;
  beta2?: number;
  /** Default 1e-15 as in the paper: gradients of large models are tiny. */
  epsilon?: number;
  /** Decoupled weight decay of matrices; norms are spared. Default 0.1. */
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
 * @param scale multiplies every gradient, as clipping asks
 */
export function adamWUpdate(
  parameters: ReadonlyMap<string, tf.Variable>,
  gradients: ReadonlyMap<string, tf.Tensor>,
  state: AdamWState,
  rate: { learningRate: number; scale?: number },
  options: AdamWOptions = {},
): void {
  const { beta1 = 0.9, beta2 = 0.95, epsilon = 1e-15, weightDecay = 0.1 } = options;
  const { learningRate, scale = 1 } = rate;
  state.step += 1;
  tf.tidy(() => {
    // Scalars are made once: with hundreds of parameters their making would cost as much as using.
    const constant = {
      keepFirst: tf.scalar(beta1),
      addFirst: tf.scalar((1 - beta1) * scale),
      keepSecond: tf.scalar(beta2),
      addSecond: tf.scalar((1 - beta2) * scale ** 2),
      unbias: tf.scalar(1 / (1 - beta2 ** state.step)),
      epsilon: tf.scalar(epsilon),
      rate: tf.scalar(learningRate / (1 - beta1 ** state.step)),
      shrink: tf.scalar(1 - learningRate * weightDecay),
    };
    for (const [name, gradient] of gradients) {
      const variable = parameters.get(name)!;
      tf.tidy(() => {
        const first = tf.add(
          tf.mul(state.first.get(name)!, constant.keepFirst),
          tf.mul(gradient, constant.addFirst),
        );
        const second = tf.add(
          tf.mul(state.second.get(name)!, constant.keepSecond),
          tf.mul(tf.square(gradient), constant.addSecond),
        );
        replace(state.first, name, first);
        replace(state.second, name, second);
        const root = tf.add(tf.sqrt(tf.mul(second, constant.unbias)), constant.epsilon);
        const move = tf.mul(tf.div(first, root), constant.rate);
        const isMatrix = variable.rank >= 2;
        variable.assign(tf.sub(isMatrix ? tf.mul(variable, constant.shrink) : variable, move));
      });
    }
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
