import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { workspace } from "./workspace.ts";

/** `export { a, type B as C } from "./file.ts"`, or `import`: file and the name there. */
function namedFrom(source: string): { name: string; file: string }[] {
  return [
    ...source.matchAll(/^(?:export|import) (?:type )?\{([^}]*)\} from "(\.[^"]+)";/gm),
  ].flatMap(([, names, file]) =>
    names!
      .split(",")
      .map(
        (name) =>
          name
            .trim()
            .replace(/^type /, "")
            .split(" as ")[0]!,
      )
      .filter(Boolean)
      .map((name) => ({ name, file: file! })),
  );
}

/** Where a name is declared in a module, with what stands right above it. */
function declaration(source: string, name: string): { above: string } | undefined {
  const pattern = new RegExp(
    `^export (?:declare )?(?:abstract )?(?:async )?(?:function\\*?|class|interface|type|const|enum) ${name}\\b`,
    "m",
  );
  const place = source.search(pattern);
  return place < 0 ? undefined : { above: source.slice(0, place).trimEnd() };
}

const entries = workspace
  .filter(({ folder }) => folder.startsWith("packages/"))
  .flatMap(({ path, manifest }) =>
    Object.entries(manifest.exports ?? {})
      .map(([entry, target]) => [
        manifest.name + entry.slice(1),
        (target as Record<string, string>)["@levin/source"] ?? "",
      ])
      .filter(([, source]) => source)
      .map(([name, source]) => [name!, join(path, source!)] as const),
  );

describe.each(entries)("%s", (_, file) => {
  it("has a doc comment on everything it exports", () => {
    const undocumented: string[] = [];
    const source = readFileSync(file, "utf8");
    const own = [
      ...source.matchAll(/^export (?:async )?(?:function\*?|class|interface|type|const) (\w+)/gm),
    ].map(([, name]) => ({ name: name!, file: "" }));
    const all = [...own, ...namedFrom(source)];
    expect(all.length).toBeGreaterThan(0);
    for (const exported of all) {
      const place = exported.file ? join(file, "..", exported.file) : file;
      let found = declaration(readFileSync(place, "utf8"), exported.name);
      // A module may hand on what another one declares.
      const passedOn = namedFrom(readFileSync(place, "utf8")).find((e) => e.name === exported.name);
      if (!found && passedOn) {
        found = declaration(readFileSync(join(place, "..", passedOn.file), "utf8"), exported.name);
      }
      if (!found) undocumented.push(`${exported.name}: no declaration in ${place}`);
      else if (!found.above.endsWith("*/")) undocumented.push(exported.name);
    }
    expect(undocumented).toEqual([]);
  });
});
