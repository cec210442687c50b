// Sees to it that tests of WebGPU can run without a GPU: Vulkan's loader, installed where it may, and the
// software driver that comes with Chromium.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { softwareGpu } from "./software-gpu.ts";

const loaders = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(
  (machine) => `/usr/lib/${machine}/libvulkan.so.1`,
);
const hasLoader = () => process.platform !== "linux" || loaders.some((path) => existsSync(path));

if (!hasLoader() && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
  console.log("installing libvulkan1 for the tests of WebGPU …");
  spawnSync("apt-get", ["update", "-qq"], { stdio: "ignore" });
  spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "libvulkan1"], {
    stdio: "ignore",
  });
}
const isReady = hasLoader() && softwareGpu !== undefined;
console.log(
  isReady
    ? `Vulkan in software: ${softwareGpu}`
    : "no Vulkan in software found: tests of WebGPU run on a GPU or are skipped",
);
if (!isReady && process.env["CI"] && process.platform === "linux") process.exitCode = 1;
