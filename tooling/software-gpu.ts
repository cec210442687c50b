import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Driver file of SwiftShader, Vulkan in software, as it stands beside Chromium; undefined where there is none. */
export const softwareGpu: string | undefined = [
  process.env["CHROMIUM_PATH"] ?? "",
  "/usr/lib/chromium/chromium",
]
  .map((chromium) => join(dirname(chromium), "vk_swiftshader_icd.json"))
  .find((path) => existsSync(path));

/** SwiftShader would take a second to compile what zeroes the shared memory of one shader. */
export const softwareGpuFeatures = "disable_workgroup_init";

/** Makes tests of WebGPU run alike with and without a GPU. */
export const softwareGpuEnvironment: Record<string, string> = softwareGpu
  ? {
      VK_DRIVER_FILES: softwareGpu,
      LEVIN_DAWN: `enable-dawn-features=${softwareGpuFeatures}`,
    }
  : {};
