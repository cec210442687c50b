import type { z } from "zod";
import { DataError, shown } from "./data-error.ts";
import type { SourceFile } from "./table.ts";

/** A record with its line from 1 on. */
export interface JsonLine<Value> {
  file: string;
  line: number;
  value: Value;
}

/**
 * Records of a file with one JSON object a line.
 * @throws DataError when a line is not JSON, or not of the schema
 */
export function parseJsonLines<Schema extends z.ZodType>(
  { name, text }: SourceFile,
  schema: Schema,
): JsonLine<z.output<Schema>>[] {
  const records: JsonLine<z.output<Schema>>[] = [];
  for (const [i, line] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    if (line.trim() === "") continue;
    const place = { file: name, line: i + 1 };
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch {
      throw new DataError(place, "a JSON object", shown(line));
    }
    const result = schema.safeParse(json);
    if (!result.success) {
      const [issue] = result.error.issues;
      const path = issue!.path.join(".");
      const found = issue!.path.reduce<unknown>(
        (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
        json,
      );
      throw new DataError(place, `${path || "the record"}: ${issue!.message}`, shown(found));
    }
    records.push({ ...place, value: result.data });
  }
  return records;
}
