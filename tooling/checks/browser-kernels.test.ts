import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath, launchChromium } from "../chromium.ts";

const kernels = join(import.meta.dirname, "../../packages/kernels");
const tfjsWasm = dirname(
  createRequire(join(kernels, "src/node.ts")).resolve("@tensorflow/tfjs-backend-wasm/package.json"),
);

/** Runs in the page: fused kernels against their references on the cpu backend, the largest difference. */
const pageSource = `
  import * as tf from "@tensorflow/tfjs-core";
  import "@tensorflow/tfjs-backend-cpu";
  import { expertMixture, lightningAttention, linear, routeTopExperts } from "./src/index.ts";
  import { startWasm } from "./src/browser.ts";
  const normal = (shape, seed) => tf.randomNormal(shape, 0, 1, "float32", seed);
  function compute() {
    const x = normal([70, 24], 1);
    const qkv = linear(x, normal([48, 24], 2));
    const heads = (from) => tf.slice(tf.reshape(qkv, [1, 1, 70, 48]), [0, 0, 0, from], [1, 1, 70, 16]);
    const { output } = lightningAttention({ queries: heads(0), keys: heads(16), values: heads(32), slopes: [0.1] });
    const experts = [3, 4, 5].map((seed) => ({
      gate: normal([20, 24], seed), up: normal([20, 24], seed + 10), down: normal([24, 20], seed + 20),
    }));
    const mixed = expertMixture(x, routeTopExperts(normal([70, 3], 6), 2), experts);
    return [...output.dataSync(), ...mixed.dataSync()];
  }
  window.run = async () => {
    await tf.setBackend("cpu");
    const expected = compute();
    const threads = await startWasm({ wasmPaths: "/wasm/", threads: 2 });
    // Workers start while the page waits.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const scale = Math.max(...expected.map(Math.abs));
    const error = Math.max(...compute().map((value, i) => Math.abs(value - expected[i]))) / scale;
    return { error, threads };
  };`;

describe.skipIf(!chromiumPath)("fused kernels in Chromium", () => {
  let browser: Browser;
  let script: string;

  beforeAll(async () => {
    const bundle = await build({
      stdin: { contents: pageSource, resolveDir: kernels },
      bundle: true,
      format: "esm",
      platform: "browser",
      write: false,
      logLevel: "silent",
    });
    script = bundle.outputFiles[0]!.text;
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** A page of its own server, cross-origin isolated or not. */
  async function runPage(isolated: boolean): Promise<{ error: number; threads: number }> {
    const server: Server = createServer(({ url }, response) => {
      if (isolated) {
        response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
        response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
      }
      if (url?.startsWith("/wasm/")) {
        response.setHeader("Content-Type", "application/wasm");
        response.end(readFileSync(join(tfjsWasm, "dist", url.slice("/wasm/".length))));
        return;
      }
      const isScript = url === "/page.js";
      response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
      response.end(isScript ? script : '<script type="module" src="/page.js"></script>');
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const page = await browser.newPage();
    try {
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      await page.waitForFunction("window.run");
      return await page.evaluate("window.run()");
    } finally {
      await page.close();
      server.close();
    }
  }

  it("give their references' numbers on one thread in any page", async () => {
    const { error, threads } = await runPage(false);
    expect(threads).toBe(1);
    expect(error).toBeLessThan(1e-5);
  });

  it("give them on several threads in a cross-origin isolated page", async () => {
    const { error, threads } = await runPage(true);
    expect(threads).toBe(2);
    expect(error).toBeLessThan(1e-5);
  });
});
