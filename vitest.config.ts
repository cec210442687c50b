import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { softwareGpuEnvironment } from "./tooling/software-gpu.ts";

// Tests run from source: the `@levin/source` condition resolves workspace packages to src/index.ts.
const conditions = ["@levin/source", "node"];

// Tests and what they start load hundreds of source files; Node keeps them compiled here.
process.env["NODE_COMPILE_CACHE"] ??= join(
  import.meta.dirname,
  "node_modules/.cache/levin-compiled",
);

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    env: { ...softwareGpuEnvironment, ...process.env },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: "packages",
          include: ["packages/*/src/**/*.test.ts"],
          // Files that compute alone: as many at once as there are cores, before the others.
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "apps",
          include: ["apps/*/src/**/*.test.ts", "tooling/**/*.test.ts"],
          // Files that start servers, workers and browsers leave them a core each.
          maxWorkers: "50%",
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
