import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import type { WorkspacePackage } from "./workspace.ts";

/** What a program that uses the package would import of it. */
export const typicalImports: Record<string, string[]> = {
  "@levin/evaluation": ["matthews"],
  "@levin/kernels": ["lightningAttention"],
  "@levin/lightning-attention": ["LightningAttention"],
  "@levin/softmax-attention": ["SoftmaxAttention"],
  "@levin/moe": ["MixtureOfExperts"],
  "@levin/tokenizer": ["Tokenizer"],
  "@levin/model": ["CausalLanguageModel", "generate"],
  "@levin/training": ["train", "trainableModel"],
  "@levin/tasks": ["addition", "generateProblem"],
};

/**
 * Bytes, minified and compressed by gzip, of what a page loads at first of a package and its
 * dependencies when it imports some of its names, built as Vite does. Not counted are peers (tfjs),
 * which all packages share, and what is loaded only when it is needed.
 */
export async function bundleSize(
  { manifest, path }: WorkspacePackage,
  names: readonly string[],
): Promise<number> {
  // Inside the package, so that it finds itself and what it depends on.
  const page = join(path, "page.js");
  const list = names.join(", ");
  const bundle = await rolldown({
    input: page,
    platform: "browser",
    external: /^@tensorflow\//,
    resolve: { conditionNames: ["@levin/source", "browser", "import", "default"] },
    plugins: [
      {
        name: "page",
        resolveId: (id) => (id === page ? page : undefined),
        load: (id) =>
          id === page
            ? `import { ${list} } from "${manifest.name}"; globalThis.used = [${list}];`
            : undefined,
      },
    ],
  });
  const { output } = await bundle.generate({ minify: true });
  const files = new Map(output.map((file) => [file.fileName, file]));
  const loaded = new Set([output[0].fileName]);
  let bytes = 0;
  for (const name of loaded) {
    const file = files.get(name);
    if (file?.type !== "chunk") continue;
    bytes += gzipSync(file.code, { level: 9 }).length;
    for (const other of file.imports) loaded.add(other);
  }
  return bytes;
}
