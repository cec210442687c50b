import { defineConfig } from "vitest/config";
import { softwareGpuEnvironment } from "./tooling/software-gpu.ts";

// Tests run from source: the `@levin/source` condition resolves workspace packages to src/index.ts.
const conditions = ["@levin/source", "node"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.ts", "tooling/**/*.test.ts"],
    env: { ...softwareGpuEnvironment, ...process.env },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
