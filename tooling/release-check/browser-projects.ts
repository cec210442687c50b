import { strict as assert } from "node:assert";
import { join } from "node:path";
import { chromiumPath } from "../chromium.ts";
import { Project } from "./project.ts";
import type { Registry } from "./registry.ts";
import { resultOfPage } from "./result-of-page.ts";

const peers = ["core", "layers", "backend-cpu", "backend-wasm"].map(
  (name) => `@tensorflow/tfjs-${name}@4.22.0`,
);
const ours = ["@levin/lightning-attention", "@levin/kernels"];

/** A layer that decays by half a token, and its sum over three tokens, on a started backend. */
const computation = `
  const layer = new LightningAttention(
    { hiddenSize: 2, numHeads: 1, headDim: 2, slopes: [Math.LN2] },
    {
      qkvProjection: tf.ones([6, 2]),
      norm: tf.ones([2]),
      outputGate: tf.zeros([2, 2]),
      outputProjection: tf.eye(2),
    },
  );
  const output = await layer.forward(tf.ones([1, 3, 2])).data();
  return Array.from(output, (value) => value.toFixed(3)).join(" ");`;
/** All rows normalise to 1, and the gate of zeros halves them. */
const expected = "0.500 0.500 0.500 0.500 0.500 0.500";

const page = '<!doctype html><title>Check</title><script type="module" src="/main.js"></script>';

/** Builds a page with Vite that computes on `wasm`, and opens it. */
export async function checkVite(folder: string, registry: Registry): Promise<void> {
  const project = await Project.create(folder, registry, [...ours, ...peers, "vite"]);
  await project.write("index.html", page.replace("/main.js", "/main.ts"));
  await project.write(
    "main.ts",
    `import * as tf from "@tensorflow/tfjs-core";
import { startWasm } from "@levin/kernels/browser";
import { LightningAttention } from "@levin/lightning-attention";
import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threaded from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";

async function compute(): Promise<string> {
  await startWasm({
    wasmPaths: {
      "tfjs-backend-wasm.wasm": plain,
      "tfjs-backend-wasm-simd.wasm": simd,
      "tfjs-backend-wasm-threaded-simd.wasm": threaded,
    },
  });
  ${computation}
}
(globalThis as { result?: unknown }).result = await compute();
`,
  );
  await project.run("node_modules/.bin/vite", ["build", "--target", "esnext"]);
  await checkPage(join(project.folder, "dist"));
}

/**
 * Builds the same module with webpack as Next.js does: once for the page, once for Node, where it
 * renders on the server.
 */
export async function checkWebpack(folder: string, registry: Registry): Promise<void> {
  const project = await Project.create(folder, registry, [...ours, ...peers, "webpack"]);
  await project.write(
    "main.js",
    `import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { LightningAttention } from "@levin/lightning-attention";
async function compute() {
  ${computation}
}
globalThis.result = await compute();
console.log(globalThis.result);
`,
  );
  await project.write(
    "build.js",
    `import { promisify } from "node:util";
import webpack from "webpack";
const build = (target) => ({
  mode: "production",
  target,
  entry: "./main.js",
  experiments: { outputModule: true },
  performance: false,
  output: { path: process.cwd() + "/" + target, filename: "main.js", module: true, library: { type: "module" } },
});
const stats = await promisify(webpack)([build("web"), build("node")]);
if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
`,
  );
  await project.run(process.execPath, ["build.js"]);
  assert.deepEqual((await project.lines("node/main.js")).at(-1), expected);
  await project.write("web/index.html", page);
  await checkPage(join(project.folder, "web"));
}

async function checkPage(folder: string): Promise<void> {
  if (!chromiumPath) return console.log("  no Chromium here (CHROMIUM_PATH): built, not opened");
  assert.equal(await resultOfPage(folder), expected);
}
