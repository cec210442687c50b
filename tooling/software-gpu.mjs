import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Driver file of SwiftShader, Vulkan in software, as it stands beside Chromium; undefined where there
 * is none. With it in VK_DRIVER_FILES tests of WebGPU run alike with and without a GPU.
 */
export const softwareGpu = [process.env["CHROMIUM_PATH"] ?? "", "/usr/lib/chromium/chromium"]
  .map((chromium) => join(dirname(chromium), "vk_swiftshader_icd.json"))
  .find((path) => existsSync(path));
