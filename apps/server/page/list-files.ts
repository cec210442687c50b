import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/**
 * Tells the service worker which files the build wrote, and which of them the page needs at once; the
 * others (the model in the tab, formulas, colours of code) are kept when they are first fetched.
 */
export function listFiles(): Plugin {
  return {
    name: "list-files",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const own = readdirSync(join(import.meta.dirname, "public"));
        const built = Object.values(bundle).filter(({ fileName }) => !fileName.endsWith(".html"));
        const entries = built.filter((file) => file.type === "chunk" && file.isEntry);
        const atOnce = new Set([
          ...own,
          ...entries.flatMap((file) =>
            file.type === "chunk" ? [file.fileName, ...file.imports] : [],
          ),
          ...built.map(({ fileName }) => fileName).filter((name) => name.endsWith(".css")),
        ]);
        const paths = (names: Iterable<string>): string[] =>
          [...names].filter((name) => name !== workerName).map((name) => `/${name}`);
        const all = paths([...own, ...built.map(({ fileName }) => fileName)]);
        const files = JSON.stringify({ all, shell: paths(atOnce) });
        const worker = bundle[workerName];
        if (worker?.type !== "chunk") throw new Error(`expected a chunk ${workerName}, found none`);
        worker.code = worker.code.replaceAll("builtFiles", files);
      },
    },
  };
}

const workerName = "service-worker.js";
