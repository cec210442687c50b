import { gzipSync } from "node:zlib";
import { build } from "esbuild";
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
 * Bytes, minified and compressed by gzip, of what a bundler keeps of a package and its dependencies
 * when a page imports some of its names. Peers (tfjs) are not counted: all packages share them.
 */
export async function bundleSize(
  { manifest, path }: WorkspacePackage,
  names: readonly string[],
): Promise<number> {
  const result = await build({
    stdin: {
      contents: `import { ${names.join(", ")} } from "${manifest.name}"; globalThis.used = [${names.join(", ")}];`,
      // From inside the package, so that it finds itself and what it depends on.
      resolveDir: path,
    },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    conditions: ["@levin/source"],
    external: ["@tensorflow/*"],
    write: false,
    logLevel: "silent",
  });
  return gzipSync(result.outputFiles[0]!.contents, { level: 9 }).length;
}
