import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";
import { softwareGpuFeatures } from "./software-gpu.ts";

/** Where a Chromium stands on this machine; CHROMIUM_PATH comes first. */
export const chromiumPath = [
  process.env["CHROMIUM_PATH"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
].find((path) => path !== undefined && existsSync(path));

// On CI a missing browser is a failure, not a reason to skip.
if (!chromiumPath && process.env["CI"]) {
  throw new Error("expected a Chromium for the browser tests (CHROMIUM_PATH), found none");
}

/** Arguments with which Chromium offers WebGPU, computed by its software GPU. */
export const webGpuArguments = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  `--enable-dawn-features=${softwareGpuFeatures}`,
];

export function launchChromium(args: readonly string[] = ["--disable-gpu"]): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    args: ["--no-sandbox", "--disable-background-networking", "--disable-sync", ...args],
  });
}
