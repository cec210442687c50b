import { availableParallelism } from "node:os";
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
    // Many tests wait for other processes: with one at a time, two cores would be idle for a third of it.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
