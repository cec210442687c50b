// Lightning attention in a page, by the fused kernels in WebAssembly. Bundle it with any bundler, and
// serve the `.wasm` files of @tensorflow/tfjs-backend-wasm under /wasm/.

import { lightningAttention } from "@levin/kernels";
import { startWasm } from "@levin/kernels/browser";
import * as tf from "@tensorflow/tfjs-core";

await startWasm({ wasmPaths: "/wasm/" });
const length = 4096;
const x = tf.randomNormal<tf.Rank.R4>([1, 8, length, 32], 0, 1, "float32", 1); // [batch, heads, length, headDim]
const slopes = Array.from({ length: 8 }, (_, head) => 2 ** -(head + 1));
const { state } = lightningAttention({ queries: x, keys: x, values: x, slopes });
const kilobytes = ((await state.data()).byteLength / 1024).toFixed(0);
const text = `${length} tokens on ${tf.getBackend()}, remembered in ${kilobytes} KB`;
document.querySelector("#result")!.textContent = text;
Object.assign(globalThis, { result: text });
