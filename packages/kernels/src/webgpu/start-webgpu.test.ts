import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { linear } from "../index.ts";
import { DeviceLostError, GpuError, selectBackend, SynchronousReadError } from "../node.ts";
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

  it("leaves no tensor behind but results", () => {
    const x = square();
    const before = tf.memory();
    tf.dispose(linear(x, x));
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
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
