import * as tf from "@tensorflow/tfjs-core";

/**
 * Lets clones share the numbers of their original, as on the cpu backend. The wasm backend copies
 * them, and tfjs clones every tensor that a gradient needs later.
 */
export function shareClones(): void {
  const kernelName = tf.Identity;
  tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    kernelFunc: ({ inputs, backend }) => {
      const { dataId, shape, dtype } = inputs["x"] as tf.TensorInfo;
      (backend as tf.KernelBackend).incRef(dataId);
      return { dataId, shape, dtype };
    },
  });
}
