/** Raised when a file of a benchmark is not in the official layout. */
export class DataError extends Error {
  override readonly name = "DataError";
  readonly file: string;
  /** From 1 on; none where several lines don't fit together. */
  readonly line: number | undefined;
  readonly expected: string;
  readonly found: string;

  constructor(place: { file: string; line?: number }, expected: string, found: string) {
    super(
      `${[place.file, place.line].filter(Boolean).join(":")}: expected ${expected}, found ${found}`,
    );
    this.file = place.file;
    this.line = place.line;
    this.expected = expected;
    this.found = found;
  }
}

/** Raised when files of a benchmark are not there; says where they can be had. */
export class MissingDataError extends Error {
  override readonly name = "MissingDataError";
}

/** A value as an error shows it, not too long. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
