import { join } from "node:path";
import { defineConfig } from "vite";
import { listFiles } from "./list-files.ts";

export default defineConfig({
  // Packages of this repository are bundled from their sources.
  resolve: { conditions: ["@levin/source", "module", "browser", "development|production"] },
  worker: {
    format: "es",
    // Threads of tfjs get their code by `toString()`: shortened names would mean nothing there.
    rolldownOptions: { output: { minify: { mangle: false, compress: false } } },
  },
  plugins: [listFiles()],
  build: {
    outDir: "../dist/page",
    emptyOutDir: true,
    target: "es2022",
    rolldownOptions: {
      input: {
        index: join(import.meta.dirname, "index.html"),
        "service-worker": join(import.meta.dirname, "src/offline/service-worker.ts"),
      },
      output: {
        // A service worker keeps its name, and rules the folder that it lies in.
        entryFileNames: ({ name }) =>
          name === "service-worker" ? "service-worker.js" : "assets/[name]-[hash].js",
      },
    },
  },
});
