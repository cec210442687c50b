import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { layers, loadLayersModel, sequential } from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { LightningAttentionLayer } from "./layers.ts";

function copyTask(): { x: tf.Tensor3D; y: tf.Tensor3D } {
  const x = tf.randomNormal<tf.Rank.R3>([8, 6, 4], 0, 1, "float32", 3);
  // Each output is the input of the previous token: only attention can know it.
  const y = tf.concat([tf.zeros([8, 1, 4]), tf.slice(x, [0, 0, 0], [8, 5, 4])], 1) as tf.Tensor3D;
  return { x, y };
}

describe("LightningAttentionLayer inside a tfjs model", () => {
  beforeAll(() => selectBackend("cpu"));

  it("trains with model.fit, and is saved and loaded by model.save", async () => {
    const model = sequential({
      layers: [
        layers.dense({ units: 16, inputShape: [6, 4] }),
        new LightningAttentionLayer({ numHeads: 2, headDim: 8 }),
        layers.dense({ units: 4 }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.02), loss: "meanSquaredError" });
    const { x, y } = copyTask();
    const history = await model.fit(x, y, { epochs: 60, verbose: 0 });
    const losses = history.history["loss"] as number[];
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!);

    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler((artifacts) => {
        saved = artifacts;
        return Promise.resolve({
          modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" },
        });
      }),
    );
    const loaded = await loadLayersModel(tf.io.fromMemory(saved!));
    const before = model.predict(x) as tf.Tensor;
    const after = loaded.predict(x) as tf.Tensor;
    expect(after.arraySync()).toEqual(before.arraySync());
  });
});
