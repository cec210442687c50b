import { rotaryAngles } from "@levin/kernels";
import { LightningAttention, lightningAttentionShapes } from "@levin/lightning-attention";
import { SoftmaxAttention, softmaxAttentionShapes } from "@levin/softmax-attention";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { plot } from "./plot.ts";

const sizes = { hiddenSize: 64, numHeads: 4, headDim: 16 };
const parameters = <Name extends string>(shapes: Record<Name, number[]>): Record<Name, tf.Tensor> =>
  Object.fromEntries(
    Object.entries<number[]>(shapes).map(([name, shape]) => [
      name,
      tf.randomNormal(shape, 0, 0.1, "float32", 1),
    ]),
  ) as Record<Name, tf.Tensor>;

const lightningConfig = { ...sizes, slopes: [0.5, 0.1, 0.02, 0.004] };
const lightning = new LightningAttention(
  lightningConfig,
  parameters(lightningAttentionShapes(lightningConfig)),
);
const softmaxConfig = { ...sizes, numKeyValueHeads: 4 };
const softmax = new SoftmaxAttention(
  softmaxConfig,
  parameters(softmaxAttentionShapes(softmaxConfig)),
);

// measure
const state = lightning.createState(1);
const cache = softmax.createState();
const measured: { tokens: number; layer: string; bytes: number }[] = [];
for (let position = 0; position < 128; position++) {
  const x = tf.randomNormal<tf.Rank.R3>([1, 1, 64], 0, 1, "float32", position + 1);
  lightning.step(x, state);
  softmax.step(x, cache, { angles: rotaryAngles([[position]], { rotaryDim: 16, base: 10_000 }) });
  measured.push({ tokens: position + 1, layer: "lightning", bytes: state.byteLength });
  measured.push({ tokens: position + 1, layer: "softmax", bytes: cache.byteLength });
}
// end

const at = (tokens: number): string =>
  measured.flatMap((m) => (m.tokens === tokens ? [`${m.layer} ${m.bytes}`] : [])).join(", ");
console.log(`bytes after 1 token: ${at(1)}`); // → bytes after 1 token: lightning 4096, softmax 512
console.log(`after 128: ${at(128)}`); // → after 128: lightning 4096, softmax 65536

await plot("06-constant-state", measured, {
  mark: "line",
  encoding: {
    x: { field: "tokens", type: "quantitative" },
    y: { field: "bytes", type: "quantitative" },
    color: { field: "layer", type: "nominal" },
  },
});
