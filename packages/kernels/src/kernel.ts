import * as tf from "@tensorflow/tfjs-core";

/** Named tensors of one kernel call; optional inputs are simply absent. */
export type KernelInputs = Record<string, tf.Tensor>;

/** Plain values of one kernel call: numbers, strings, booleans or arrays of them. */
export type KernelAttributes = Record<string, number | string | boolean | number[]>;

/** The backend-independent meaning of one operation. */
export interface KernelDefinition<Attributes extends KernelAttributes> {
  /** Name in the tfjs kernel registry, such as `LevinRmsNorm`. */
  name: string;
  /** The operation composed of plain tfjs operations: it defines the result on every backend. */
  reference(inputs: KernelInputs, attributes: Attributes): tf.Tensor[];
  /**
   * Gradients of every differentiable input, given the gradients of the outputs; absent for
   * kernels that only other kernels use.
   */
  gradient?: (upstream: tf.Tensor[], inputs: KernelInputs, attributes: Attributes) => KernelInputs;
}

/** Runs an operation through the tfjs engine, so that gradients, tidy and profiling see it. */
export type RunKernel<Attributes extends KernelAttributes> = (
  inputs: Record<string, tf.Tensor | undefined>,
  attributes: Attributes,
) => tf.Tensor[];

/** Raised when tensors handed to a kernel do not fit together. */
export class KernelShapeError extends Error {
  override readonly name = "KernelShapeError";
  constructor(kernel: string, expected: string, found: string) {
    super(`${kernel}: expected ${expected}, found ${found}`);
  }
}

/**
 * Makes an operation a tfjs kernel with a gradient. The reference is registered for a backend when
 * the operation first runs on it, unless a fused form was registered there before.
 */
export function defineKernel<Attributes extends KernelAttributes>(
  definition: KernelDefinition<Attributes>,
): RunKernel<Attributes> {
  return (inputs, attributes) => {
    register(definition);
    // tfjs saves inputs for the gradient only from a list, so the names travel as an attribute.
    const present = Object.entries(inputs).filter((entry) => entry[1] !== undefined);
    const outputs = tf
      .engine()
      .runKernel(
        definition.name,
        present.map((entry) => entry[1]) as unknown as tf.NamedTensorMap,
        { ...attributes, inputNames: present.map((entry) => entry[0]) } as tf.NamedAttrMap,
      );
    return (Array.isArray(outputs) ? outputs : [outputs]) as tf.Tensor[];
  };
}

function register<Attributes extends KernelAttributes>(
  definition: KernelDefinition<Attributes>,
): void {
  const { name } = definition;
  const backendName = tf.getBackend();
  if (tf.getKernel(name, backendName) == null) {
    tf.registerKernel({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs, attrs }) =>
        tf.tidy(() =>
          definition.reference(
            namedInputs(Object.values(inputs) as tf.Tensor[], attrs),
            attrs as unknown as Attributes,
          ),
        ),
    });
  }
  const { gradient } = definition;
  if (gradient && tf.getGradient(name) == null) {
    tf.registerGradient({
      kernelName: name,
      saveAllInputs: true,
      gradFunc: (upstream, saved, attrs) => {
        const gradients = tf.tidy(() =>
          gradient(
            Array.isArray(upstream) ? upstream : [upstream],
            namedInputs(saved, attrs),
            attrs as unknown as Attributes,
          ),
        );
        return Object.fromEntries(
          inputNames(attrs).map((input, index) => [
            index,
            () => gradients[input] ?? tf.zeros(saved[index]!.shape),
          ]),
        );
      },
    });
  }
}

function inputNames(attrs: tf.NamedAttrMap | undefined): string[] {
  return (attrs as unknown as { inputNames: string[] }).inputNames;
}

/** The inputs of a registered kernel by the names they were given. */
export function namedInputs(
  tensors: tf.Tensor[],
  attrs: tf.NamedAttrMap | undefined,
): KernelInputs {
  return Object.fromEntries(inputNames(attrs).map((name, index) => [name, tensors[index]!]));
}
