import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Registry } from "./registry.ts";
import { run } from "./run.ts";

/** An empty ESM project, as somebody begins it who wants to use a package. */
export class Project {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes it and installs packages from a registry with npm. */
  static async create(
    folder: string,
    registry: Registry,
    packages: readonly string[],
  ): Promise<Project> {
    const project = new Project(folder);
    await project.write("package.json", JSON.stringify({ private: true, type: "module" }));
    await project.write(".npmrc", registry.npmrc);
    await project.run("npm", ["install", "--no-audit", "--no-fund", ...packages]);
    return project;
  }

  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true });
    await writeFile(join(this.folder, path), text);
  }

  run(program: string, args: readonly string[]): Promise<string> {
    return run(program, args, { cwd: this.folder });
  }

  /** What a module of the project prints, line by line. */
  async lines(file: string): Promise<string[]> {
    return (await this.run(process.execPath, [file])).trim().split("\n");
  }
}
