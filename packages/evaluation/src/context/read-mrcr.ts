import { readFile } from "node:fs/promises";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { DataError, shown } from "../data/data-error.ts";
import { parseJsonLines } from "../data/json-lines.ts";
import { mrcrRecord, type MrcrRecord } from "./mrcr-file.ts";

/**
 * Records of OpenAI's MRCR, from its Parquet files as they are downloaded, or from JSON lines with the
 * same columns. Of a Parquet file a group of rows at a time is in memory.
 *
 * @throws DataError when a row is not of the official columns, or a file not Parquet
 */
export async function* readMrcr(paths: readonly string[]): AsyncGenerator<MrcrRecord, void> {
  for (const path of paths) {
    if (path.endsWith(".parquet")) yield* parquetRecords(path);
    else {
      const text = await readFile(path, "utf8");
      for (const { value } of parseJsonLines({ name: path, text }, mrcrRecord)) yield value;
    }
  }
}

async function* parquetRecords(path: string): AsyncGenerator<MrcrRecord, void> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch(({ message }: Error) => {
    throw new DataError({ file: path, line: 1 }, "a Parquet file", message);
  });
  let row = 0;
  for (const { num_rows: count } of metadata.row_groups) {
    const end = row + Number(count);
    const rows = await parquetReadObjects({ file, metadata, rowStart: row, rowEnd: end });
    for (const value of rows) {
      row += 1;
      const result = mrcrRecord.safeParse(value);
      if (!result.success) {
        const [issue] = result.error.issues;
        const found = shown(Object.keys(value).join(", "));
        throw new DataError(
          { file: path, line: row },
          `${issue!.path.join(".")}: ${issue!.message}`,
          found,
        );
      }
      yield result.data;
    }
  }
}
