import { tensorShapes, type ModelConfig } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Matrices whose output joins the residual stream. */
const residualBranch = /(out_proj|o_proj|w2)\.weight$/;

/**
 * Random parameters of a model, the same on every backend for the same seed.
 *
 * Norms are 1, biases of routers 0; matrices are normal with variance 1/fan-in, embeddings 1/hidden; branches into the
 * residual are scaled by (8 · layers)^(−1/4), which goes with α = (2 · layers)^(1/4) (DeepNorm,
 * arXiv 2203.00555).
 */
export function initialiseParameters(config: ModelConfig, seed: number): Map<string, tf.Variable> {
  const generator = xoroshiro128plus(seed);
  const uniform = (): number => uniformFloat64(generator);
  const branchScale = (8 * config.numHiddenLayers) ** -0.25;
  const parameters = new Map<string, tf.Variable>();
  for (const [name, shape] of tensorShapes(config)) {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    if (shape.length === 1) values.fill(name.endsWith("expert_bias") ? 0 : 1);
    else if (name.endsWith("lrpe.theta")) fillAngles(values);
    else {
      const scale = shape[1]! ** -0.5 * (residualBranch.test(name) ? branchScale : 1);
      for (let i = 0; i < values.length; i++) values[i] = scale * standardNormal(uniform);
    }
    const initial = tf.tensor(values, shape);
    parameters.set(name, tf.variable(initial));
    initial.dispose();
  }
  return parameters;
}

/** From 1 down to 1/10,000, through all heads (TransNormerLLM). */
function fillAngles(values: Float32Array): void {
  values.forEach((_, i) => (values[i] = 10_000 ** ((-2 * i) / values.length)));
}

/** Box–Muller. */
function standardNormal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
