// A lightning attention layer alone: a whole sequence at once, or token by token with a state of
// constant size; both give the same.

import {
  decaySlopes,
  LightningAttention,
  lightningAttentionShapes,
} from "@levin/lightning-attention";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";

const slopes = decaySlopes({ numHeads: 4, layerIndex: 0, numLayers: 1, dialect: "m1" });
const config = { hiddenSize: 32, numHeads: 4, headDim: 8, slopes };
const { qkvProjection, norm, outputGate, outputProjection } = lightningAttentionShapes(config);
const random = (shape: number[], seed: number): tf.Tensor =>
  tf.randomNormal(shape, 0, 0.2, "float32", seed);
const layer = new LightningAttention(config, {
  qkvProjection: random(qkvProjection, 1),
  norm: tf.ones(norm),
  outputGate: random(outputGate, 2),
  outputProjection: random(outputProjection, 3),
});

const sequence = random([1, 50, 32], 4) as tf.Tensor3D; // [batch, length, hidden]
const whole = layer.forward(sequence);

const state = layer.createState(1);
const steps = Array.from({ length: 50 }, (_, t) =>
  layer.step(tf.slice3d(sequence, [0, t, 0], [1, 1, 32]), state),
);
const error = tf.max(tf.abs(tf.sub(whole, tf.concat(steps, 1)))).dataSync()[0]!;
console.log(`token by token agrees: ${error < 1e-4}`); // → token by token agrees: true
console.log(`state after 50 tokens: ${state.byteLength} bytes`); // → state after 50 tokens: 1024 bytes
