import { DataError, shown } from "./data-error.ts";

/** A file with the name that errors give it. */
export interface SourceFile {
  name: string;
  text: string;
}

/** A row of a table by column, with its line from 1 on. */
export interface Row {
  file: string;
  line: number;
  cells: Readonly<Record<string, string>>;
}

export interface TableOptions {
  /** Columns of a file without a header. */
  header?: readonly string[];
  /** Columns that must be there. */
  required: readonly string[];
  /** Rows that are too short are left out: the official QQP has some that are cut off. */
  dropShort?: boolean;
}

/**
 * Rows of a file in which tabs part columns. Quotes are characters like any other: GLUE's sentences
 * begin and end with them as they like. More cells than columns are left out, as the official readers do.
 *
 * @throws DataError when a column is missing, or a row is too short
 */
export function parseTable({ name, text }: SourceFile, options: TableOptions): Row[] {
  // Only line feeds end a line: sentences contain other separators.
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  const columns = options.header ?? cellsOf(lines[0] ?? "").map((column) => column.trim());
  for (const column of options.required) {
    if (columns.includes(column)) continue;
    throw new DataError({ file: name, line: 1 }, `a column "${column}"`, shown(columns.join(" ")));
  }
  const needed = Math.max(...options.required.map((column) => columns.indexOf(column))) + 1;
  const rows: Row[] = [];
  for (let i = options.header ? 0 : 1; i < lines.length; i++) {
    const cells = cellsOf(lines[i]!);
    if (cells.length === 1 && cells[0]!.trim() === "") continue;
    if (cells.length < needed) {
      if (options.dropShort) continue;
      throw new DataError(
        { file: name, line: i + 1 },
        `${needed} columns parted by tabs`,
        `${cells.length}: ${shown(lines[i])}`,
      );
    }
    const named = columns.map((column, at) => [column, cells[at] ?? ""] as const);
    rows.push({ file: name, line: i + 1, cells: Object.fromEntries(named) });
  }
  return rows;
}

function cellsOf(line: string): string[] {
  return line.replace(/\r$/, "").split("\t");
}
