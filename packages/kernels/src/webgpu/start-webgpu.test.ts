import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import {
  expertMixture,
  lightningAttention,
  linear,
  routeTopExperts,
  softmaxAttention,
} from "../index.ts";
import { DeviceLostError, GpuError, selectBackend, SynchronousReadError } from "../node.ts";
import { normal } from "../testing/both-backends.ts";
import { hasWebGpu } from "../testing/on-webgpu.ts";
import { runShader, type Shader } from "./run-shader.ts";

const square = (): tf.Tensor2D => tf.tensor2d([1, 2, 3, 4], [2, 2]);
const expected = [5, 11, 11, 25];

describe.skipIf(!hasWebGpu)("the WebGPU backend", () => {
  beforeAll(() => selectBackend("webgpu"));

  it("names a synchronous read that Node can't do, and does it where the numbers are at hand", async () => {
    const product = linear(square(), square());
    expect(() => product.dataSync()).toThrow(SynchronousReadError);
    expect([...(await product.data())]).toEqual(expected);
    expect([...product.dataSync()]).toEqual(expected);
  });

  it("names what the GPU refused, and goes on", async () => {
    const wrong: Shader<Record<string, never>> = {
      name: "wrong",
      threads: 1,
      code: () => "fn main(index: i32) { result[index] = nonsense; }",
    };
    const [variant, sizes, output] = [{}, { size: 1 }, { shape: [1] }];
    const call = { variant, inputs: {}, sizes, output, workgroups: 1 };
    const result = runShader(tf.backend() as WebGPUBackend, wrong, call);
    const tensor = tf.engine().makeTensorFromTensorInfo(result);
    await expect(tensor.data()).rejects.toThrow(GpuError);
    expect([...(await linear(square(), square()).data())]).toEqual(expected);
  });

  it("leaves nothing in the GPU's memory but results", async () => {
    const backend = tf.backend() as WebGPUBackend;
    const heads = normal([1, 2, 70, 4], 1) as tf.Tensor4D;
    const mask = tf.ones<tf.Rank.R2>([1, 70]);
    const x = normal([9, 4], 2) as tf.Tensor2D;
    const weight = normal([4, 4], 3);
    const run = async (): Promise<void> => {
      const last = tf.tidy(() => {
        const [queries, keys, values] = [heads, heads, heads];
        lightningAttention({ queries, keys, values, slopes: [0.1, 0.2], mask });
        softmaxAttention({ queries, keys: [keys], values: [values], mask });
        const token = tf.slice(heads, [0, 0, 0, 0], [1, 2, 1, 4]);
        softmaxAttention({ queries: token, keys: [keys], values: [values] });
        const experts = [0, 1].map(() => ({ gate: weight, up: weight, down: weight }));
        for (const rows of [x, tf.slice(x, 0, 1)]) {
          expertMixture(rows, routeTopExperts(linear(rows, weight) as tf.Tensor2D, 1), experts);
        }
        return tf.sum(linear(x, weight));
      });
      await last.data();
      last.dispose();
    };
    await run();
    const before = { tensors: tf.memory().numTensors, data: backend.numDataIds() };
    await run();
    expect({ tensors: tf.memory().numTensors, data: backend.numDataIds() }).toEqual(before);
    tf.dispose([heads, mask, x, weight]);
  });

  it("names a lost device; then others can be selected, and a new device", async () => {
    const product = linear(square(), square());
    const { device } = tf.backend() as WebGPUBackend;
    (device as GPUDevice).destroy();
    await expect(product.data()).rejects.toThrow(DeviceLostError);
    await expect(product.data()).rejects.toThrow(/select a backend/);
    expect(() => linear(square(), square())).toThrow(DeviceLostError);
    await selectBackend("cpu");
    expect([...linear(square(), square()).dataSync()]).toEqual(expected);
    await selectBackend("webgpu");
    expect([...(await linear(square(), square()).data())]).toEqual(expected);
  });
});
