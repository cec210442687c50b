import { rmsNorm, scaledResidual } from "@levin/kernels";
import type * as tf from "@tensorflow/tfjs-core";

/** How a block joins its branch to the residual stream (SPEC section 5). */
export type BlockFactors = {
  /** Of the norm before the branch. */
  epsilon: number;
  /** Factor of the skip path. */
  alpha: number;
  /** Factor of the branch. */
  beta: number;
  /** True: the skip path carries the normalised input. */
  postnorm: boolean;
};

/**
 * α · r + β · branch(norm(h)), where r is norm(h) with post-norm, else h (SPEC section 5).
 *
 * @param hidden h, `[batch, length, hidden]`
 * @param norm `[hidden]`; undefined: a norm without weight
 */
export function normalisedBranch(
  hidden: tf.Tensor3D,
  norm: tf.Tensor | undefined,
  { epsilon, alpha, beta, postnorm }: BlockFactors,
  branch: (normalised: tf.Tensor3D) => tf.Tensor3D,
): tf.Tensor3D {
  const normalised = rmsNorm(hidden, norm, epsilon);
  return scaledResidual(postnorm ? normalised : hidden, alpha, branch(normalised), beta);
}
