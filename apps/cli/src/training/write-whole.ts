import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Raised when the disk refuses what a training writes. */
class OutputError extends Error {
  override readonly name = "OutputError";
}

/** Runs what writes to `path`; throws OutputError when the system refuses it, as a full disk does. */
export async function expectWritable<Result>(
  path: string,
  write: () => Promise<Result>,
): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new OutputError(`${path}: can't be written: ${message}`, { cause: error });
  }
}

/** Writes a file that appears only when it is whole. */
export async function writeFileWhole(path: string, text: string): Promise<void> {
  await expectWritable(path, async () => {
    await writeFile(`${path}.tmp`, text);
    await rename(`${path}.tmp`, path);
  });
}

/** Fills a folder that appears, or takes the place of an earlier one, only when it is whole. */
export async function writeFolderWhole(
  path: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.tmp`);
  await expectWritable(path, async () => {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    await fill(temporary);
    await rm(path, { recursive: true, force: true });
    await rename(temporary, path);
  });
}
