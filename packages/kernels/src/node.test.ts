import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { BackendUnavailableError, selectBackend } from "./node.ts";

describe("selectBackend", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("refuses names and numbers of threads that are none", async () => {
    await expect(selectBackend("abacus")).rejects.toThrow(BackendUnavailableError);
    await expect(selectBackend("abacus")).rejects.toThrow(/found "abacus"/);
    vi.stubEnv("LEVIN_THREADS", "many");
    await expect(selectBackend("wasm")).rejects.toThrow(/from 1, found "many"/);
  });

  it("starts wasm on a machine with many cores", async () => {
    const program = `
      const os = require("node:os");
      const cores = os.cpus();
      os.cpus = () => Array(16).fill(cores[0]);
      os.availableParallelism = () => 16;
      require("node:module").syncBuiltinESMExports();
      import(${JSON.stringify(new URL("node.ts", import.meta.url).href)})
        .then(({ selectBackend }) => selectBackend("wasm"))
        .then(console.log);`;
    const flags = ["--conditions=@levin/source", "--eval", program];
    const { stdout } = await promisify(execFile)(process.execPath, flags);
    expect(stdout).toBe("wasm\n");
  });

  it("takes wasm in the place of a TensorFlow that is not there, and says so in one line", async () => {
    const reasons: string[] = [];
    const name = await selectBackend("tensorflow", { otherwise: (reason) => reasons.push(reason) });
    expect(tf.getBackend()).toBe(name);
    // Where it is installed there is nothing to say.
    expect(reasons).toHaveLength(name === "tensorflow" ? 0 : 1);
    for (const reason of reasons) {
      expect(reason).toMatch(
        /^the tensorflow backend .*; run "npm install .*; going on with wasm$/,
      );
    }
  });

  it("takes wasm in the place of a GPU that is not there, and says so in one line", async () => {
    // Vulkan's loader then finds no driver.
    vi.stubEnv("VK_DRIVER_FILES", "/nowhere.json");
    const reasons: string[] = [];
    const name = await selectBackend("webgpu", { otherwise: (reason) => reasons.push(reason) });
    expect(tf.getBackend()).toBe(name);
    // Elsewhere than on Linux there may be one all the same.
    expect(reasons).toHaveLength(name === "webgpu" ? 0 : 1);
    for (const reason of reasons) {
      expect(reason).toMatch(/^the webgpu backend .*; going on with wasm$/);
      await expect(selectBackend("webgpu")).rejects.toThrow(BackendUnavailableError);
    }
  });
});
