import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { codeBlocks, promised } from "./readme-examples.ts";
import { workspace } from "./workspace.ts";

const run = promisify(execFile);
/** Every package has an example; an app may have some. */
const examples = workspace.filter(
  ({ folder, path }) =>
    folder.startsWith("packages/") || codeBlocks(join(path, "README.md")).length > 0,
);

describe.each(examples.map(({ folder, path }) => [folder, path] as const))(
  "README of %s",
  (_, path) => {
    const blocks = codeBlocks(join(path, "README.md"));

    it("has an example that prints something", () => {
      expect(blocks.flatMap(promised).length).toBeGreaterThan(0);
    });

    it.each(blocks.map((code, index) => [index + 1, code] as const))(
      "example %i prints what it says",
      async (index, code) => {
        // Inside the package, so that its own dependencies are what it can import.
        const file = join(path, `.readme-example-${index}.ts`);
        await writeFile(file, code);
        try {
          const { stdout } = await run(process.execPath, ["--conditions=@levin/source", file]);
          expect(stdout.trim().split("\n")).toEqual(promised(code));
        } finally {
          await rm(file);
        }
      },
    );
  },
);
