import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BenchmarkTask, Suite } from "../suites/benchmark-task.ts";
import { DataError, MissingDataError } from "./data-error.ts";
import type { Item, Split } from "./item.ts";
import type { SourceFile } from "./table.ts";

/**
 * Reads a split of a task from the folder that its files were unpacked to.
 *
 * @param directory has a folder for each task, as GLUE's and SuperGLUE's archives do
 * @throws DataError when a file is not in the official layout, or has an index twice
 * @throws MissingDataError when files are missing, hold nothing, or no labels where they are not a test
 *   set; says where they can be had
 */
export async function readItems(
  directory: string,
  suite: Suite,
  task: BenchmarkTask,
  split: Split,
): Promise<Item[]> {
  const tried: string[] = [];
  for (const folder of task.folders) {
    for (const source of task.sources[split]) {
      const found = await readAll(join(directory, folder), source.files);
      if (found.missing === undefined) {
        const items = source.parse(found.files);
        expectWhole(found.files[0]!.name, items, split);
        return items;
      }
      tried.push(found.missing);
    }
  }
  throw new MissingDataError(
    tried.length === 0
      ? `${task.title} has no ${split} split`
      : `${task.title}, ${split}: expected ${[...new Set(tried)].join(" or ")}, found no such file; ` +
          `${suite.title}'s data can be had from ${suite.page}, one folder for each task`,
  );
}

/** What each example lacks would else be found when all of them are answered. */
function expectWhole(file: string, items: readonly Item[], split: Split): void {
  if (items.length === 0) throw new MissingDataError(`${file}: expected examples, found none`);
  const bare = split === "test" ? undefined : items.find(({ label }) => label === undefined);
  if (bare) {
    throw new MissingDataError(
      `${file}: expected labels, found example ${bare.id} without; ` +
        "without labels it can only be the test split",
    );
  }
  const ids = new Set<string>();
  for (const { id } of items) {
    if (ids.has(id)) throw new DataError({ file }, "each example's index once", `${id} again`);
    ids.add(id);
  }
}

async function readAll(
  folder: string,
  names: readonly string[],
): Promise<{ files: SourceFile[]; missing?: string }> {
  const files: SourceFile[] = [];
  for (const name of names) {
    const path = join(folder, name);
    try {
      files.push({ name: path, text: await readFile(path, "utf8") });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw unreadable(path, error);
      return { files, missing: path };
    }
  }
  return { files };
}

function unreadable(path: string, error: unknown): MissingDataError {
  return new MissingDataError(`${path}: can't be read: ${(error as Error).message}`, {
    cause: error,
  });
}
