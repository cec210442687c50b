import { strict as assert } from "node:assert";
import { join } from "node:path";
import { entriesOf } from "../checks/entries.ts";
import { codeBlocks, installed, promised } from "../checks/readme-examples.ts";
import type { WorkspacePackage } from "../checks/workspace.ts";
import { Project } from "./project.ts";
import type { Registry } from "./registry.ts";

const typesConfig = {
  compilerOptions: {
    target: "es2024",
    lib: ["es2024", "dom", "dom.iterable", "dom.asynciterable"],
    module: "nodenext",
    strict: true,
    types: ["node"],
    skipLibCheck: true,
  },
};

/**
 * Follows a package's README in a project of its own: installs what it says, checks the types of its
 * examples, and runs them.
 *
 * @throws Error when an entry does not import or an example prints something else than it promises
 */
export async function checkInNode(
  folder: string,
  registry: Registry,
  { path, manifest }: WorkspacePackage,
): Promise<void> {
  const readme = join(path, "README.md");
  const packages = installed(readme);
  assert.equal(packages[0], manifest.name, `README of ${manifest.name} says what to install`);
  const project = await Project.create(folder, registry, [...packages, "@types/node@24"]);

  const entries = entriesOf(manifest);
  const imports = entries.map(
    ({ specifier }, i) => `import * as entry${i} from ${JSON.stringify(specifier)};`,
  );
  const counts = entries.map((_, i) => `Object.keys(entry${i}).length`);
  await project.write(
    "entries.ts",
    [...imports, `console.log([${counts.join(", ")}].every((count) => count > 0)); // → true`].join(
      "\n",
    ),
  );
  for (const [i, code] of codeBlocks(readme).entries())
    await project.write(`example-${i}.ts`, code);
  await project.write("tsconfig.json", JSON.stringify(typesConfig));
  await project.run("tsc", ["--project", "."]);

  assert.deepEqual(await project.lines("entries.js"), ["true"]);
  for (const [i, code] of codeBlocks(readme).entries()) {
    assert.deepEqual(await project.lines(`example-${i}.js`), promised(code));
  }
}
