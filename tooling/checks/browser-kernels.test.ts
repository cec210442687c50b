import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath, launchChromium, webGpuArguments } from "../chromium.ts";

const kernels = join(import.meta.dirname, "../../packages/kernels");
const tfjsWasm = dirname(
  createRequire(join(kernels, "src/node.ts")).resolve("@tensorflow/tfjs-backend-wasm/package.json"),
);

/** Runs in the page: fused kernels against their references on the cpu backend, the largest difference. */
const pageSource = `
  import * as tf from "@tensorflow/tfjs-core";
  import "@tensorflow/tfjs-backend-cpu";
  import { expertMixture, lightningAttention, linear, routeTopExperts } from "./src/index.ts";
  import { startWasm, startWebGpu } from "./src/browser.ts";
  const normal = (shape, seed) => tf.randomNormal(shape, 0, 1, "float32", seed);
  async function compute() {
    const x = normal([70, 24], 1);
    const qkv = linear(x, normal([48, 24], 2));
    const heads = (from) => tf.slice(tf.reshape(qkv, [1, 1, 70, 48]), [0, 0, 0, from], [1, 1, 70, 16]);
    const { output } = lightningAttention({ queries: heads(0), keys: heads(16), values: heads(32), slopes: [0.1] });
    const experts = [3, 4, 5].map((seed) => ({
      gate: normal([20, 24], seed), up: normal([20, 24], seed + 10), down: normal([24, 20], seed + 20),
    }));
    const mixed = expertMixture(x, routeTopExperts(normal([70, 3], 6), 2), experts);
    return [...(await output.data()), ...(await mixed.data())];
  }
  async function errorOf(start) {
    await tf.setBackend("cpu");
    const expected = await compute();
    await start();
    const scale = Math.max(...expected.map(Math.abs));
    const found = await compute();
    return Math.max(...found.map((value, i) => Math.abs(value - expected[i]))) / scale;
  }
  window.runWasm = async () => {
    let threads;
    const error = await errorOf(async () => {
      threads = await startWasm({ wasmPaths: "/wasm/", threads: 2 });
      // Workers start while the page waits.
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
    return { error, threads };
  };
  window.runWebGpu = async () => {
    const error = await errorOf(startWebGpu);
    const backend = tf.getBackend();
    const sum = tf.sum(linear(tf.ones([2, 3]), tf.ones([4, 3])));
    tf.backend().device.destroy();
    const lost = await sum.data().catch((reason) => reason.name);
    return { error, backend, lost };
  };`;

interface WasmResult {
  error: number;
  threads: number;
}

describe.skipIf(!chromiumPath)("fused kernels in Chromium", () => {
  const browsers: Browser[] = [];
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
  });
  afterAll(() => Promise.all(browsers.map((browser) => browser.close())));

  /** What a function of the page returns, in a browser and of a server of its own. */
  async function runPage<T>(
    call: "runWasm" | "runWebGpu",
    { isolated = false, args }: { isolated?: boolean; args?: readonly string[] } = {},
  ): Promise<T> {
    const browser = await launchChromium(args);
    browsers.push(browser);
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
      await page.waitForFunction(`window.${call}`);
      return await page.evaluate(`window.${call}()`);
    } finally {
      await page.close();
      server.close();
    }
  }

  it("give their references' numbers on one thread in any page", async () => {
    const { error, threads } = await runPage<WasmResult>("runWasm");
    expect(threads).toBe(1);
    expect(error).toBeLessThan(1e-5);
  });

  it("give them on several threads in a cross-origin isolated page", async () => {
    const { error, threads } = await runPage<WasmResult>("runWasm", { isolated: true });
    expect(threads).toBe(2);
    expect(error).toBeLessThan(1e-5);
  });

  it("give them on WebGPU, and name a lost device", async () => {
    const found = await runPage<{ error: number }>("runWebGpu", { args: webGpuArguments });
    expect(found).toMatchObject({ backend: "webgpu", lost: "DeviceLostError" });
    expect(found.error).toBeLessThan(1e-5);
  });
});
