import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The repository's folder. */
export const root = resolve(import.meta.dirname, "../..");

export interface Manifest {
  name: string;
  private?: boolean;
  exports?: Record<string, unknown>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

export interface WorkspacePackage {
  /** Such as `packages/kernels`. */
  folder: string;
  path: string;
  manifest: Manifest;
  /** Source files without tests and what only they use, relative to the package. */
  sources: string[];
}

/** All packages and apps. */
export const workspace: WorkspacePackage[] = ["packages", "apps"]
  .flatMap((group) => readdirSync(join(root, group)).map((name) => `${group}/${name}`))
  .filter((folder) => existsSync(join(root, folder, "package.json")))
  .map((folder) => {
    const path = join(root, folder);
    const files = readdirSync(join(path, "src"), { recursive: true, encoding: "utf8" });
    return {
      folder,
      path,
      manifest: JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as Manifest,
      sources: files
        .filter((file) => /\.tsx?$/.test(file) && !/\.test\.ts$|__fixtures__|^testing\b/.test(file))
        .map((file) => join("src", file)),
    };
  });
