import { DataError, shown } from "../data/data-error.ts";
import type { Item, Split } from "../data/item.ts";
import { parseTable, type Row, type SourceFile } from "../data/table.ts";
import type { AnswerKind, Source } from "./benchmark-task.ts";

/** Where a table has what an item needs. */
export interface Columns {
  /** Column of each field. */
  fields: Readonly<Record<string, string>>;
  /** None in files without labels. */
  label?: string;
  /** Column of the leaderboard's index; else rows count from 0. */
  index?: string;
  /** Columns of a file without a header. */
  header?: readonly string[];
  dropShort?: boolean;
}

/** A source of tables, read one after the other. */
export function tables(files: readonly string[], kind: AnswerKind, columns: Columns): Source {
  return {
    files,
    parse: (texts) =>
      texts.flatMap((file) => rowsOf(file, columns)).map((row, i) => itemOf(row, i, kind, columns)),
  };
}

/** The same columns in `train.tsv`, `dev.tsv` and, without labels, `test.tsv`. */
export function threeTables(
  kind: AnswerKind,
  columns: Columns,
  { dev = "dev.tsv", test = "test.tsv" } = {},
): Record<Split, Source[]> {
  const { label: _, ...unlabelled } = columns;
  return {
    train: [tables(["train.tsv"], kind, columns)],
    dev: [tables([dev], kind, columns)],
    test: [tables([test], kind, { ...unlabelled, index: columns.index ?? "index" })],
  };
}

/**
 * MRPC as its publisher gives it: `msr_paraphrase_train.txt`, of which GLUE's `dev_ids.tsv` names the
 * pairs of the development set.
 */
export function originalMrpc(split: "train" | "dev", kind: AnswerKind, columns: Columns): Source {
  return {
    files: ["msr_paraphrase_train.txt", "dev_ids.tsv"],
    parse: ([pairs, ids]) => {
      const header = ["one", "other"];
      const wanted = new Set(
        parseTable(ids!, { header, required: header }).map(({ cells }) =>
          pairName(cells["one"]!, cells["other"]!),
        ),
      );
      return rowsOf(pairs!, columns, ["#1 ID", "#2 ID"])
        .filter(({ cells }) => {
          const isDev = wanted.has(pairName(cells["#1 ID"]!, cells["#2 ID"]!));
          return isDev === (split === "dev");
        })
        .map((row, i) => itemOf(row, i, kind, columns));
    },
  };
}

function pairName(one: string, other: string): string {
  return `${one.trim()} ${other.trim()}`;
}

function rowsOf(file: SourceFile, columns: Columns, others: readonly string[] = []): Row[] {
  const { fields, label, index, header, dropShort } = columns;
  const single = [label, index].filter((column) => column !== undefined);
  return parseTable(file, {
    required: [...Object.values(fields), ...single, ...others],
    ...(header && { header }),
    ...(dropShort && { dropShort }),
  });
}

function itemOf(row: Row, number: number, kind: AnswerKind, columns: Columns): Item {
  const { fields, label, index } = columns;
  const texts = Object.entries(fields).map(
    ([field, column]) => [field, row.cells[column]!.trim()] as const,
  );
  return {
    id: index === undefined ? String(number) : row.cells[index]!.trim(),
    fields: Object.fromEntries(texts),
    ...(label !== undefined && { label: labelOf(row, row.cells[label]!.trim(), kind) }),
  };
}

function labelOf(row: Row, text: string, kind: AnswerKind): number {
  if (kind.type === "class") {
    const label = kind.names.indexOf(text);
    if (label >= 0) return label;
    throw new DataError(row, `a label among ${kind.names.join(", ")}`, shown(text));
  }
  const score = Number(text);
  const { lowest, highest } = kind as { lowest: number; highest: number };
  if (text !== "" && score >= lowest && score <= highest) return score;
  throw new DataError(row, `a score from ${lowest} to ${highest}`, shown(text));
}
